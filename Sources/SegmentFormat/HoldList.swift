/// A range that retention leaves alone.
public struct Hold: Hashable, Sendable {
    /// The most bytes of a reason.
    public static let reasonBytes = 1_024

    /// From 1; never used again.
    public var number: UInt64
    public var from: Bucket
    /// In the range.
    public var to: Bucket
    /// Milliseconds, floored to the resolution.
    public var created: UInt64
    public var reason: String

    public init(number: UInt64, from: Bucket, to: Bucket, created: UInt64, reason: String) {
        self.number = number
        self.from = from
        self.to = to
        self.created = created
        self.reason = reason
    }

    /// Keeps a number that is not to be used again.
    static func removed(_ number: UInt64) -> Hold {
        Hold(number: number, from: .latest, to: .earliest, created: 0, reason: "")
    }
}

/// The holds of a stream, by number.
public struct HoldList: Hashable, Sendable {
    public private(set) var all: [Hold] = []
    /// Where it is above the numbers of all holds that are left; else 0.
    private var highestRemoved: UInt64 = 0

    public init() {}

    /// Of the hold that is added next.
    public var nextNumber: UInt64 { max(highestRemoved, all.last?.number ?? 0) + 1 }

    /// Its number must be `nextNumber`.
    public mutating func add(_ hold: Hold) {
        precondition(hold.number == nextNumber, "hold \(hold.number), not \(nextNumber)")
        all.append(hold)
        highestRemoved = 0
    }

    public mutating func remove(_ number: UInt64) {
        guard let index = all.firstIndex(where: { $0.number == number }) else { return }
        if index == all.count - 1 { highestRemoved = max(highestRemoved, number) }
        all.remove(at: index)
    }

    func put(into frame: inout FrameWriter) {
        let kept = highestRemoved > 0 ? [Hold.removed(highestRemoved)] : []
        frame.list(.holds, all + kept) { hold, writer in
            writer.put(hold.number)
            writer.put(hold.from.milliseconds)
            writer.put(hold.to.milliseconds)
            writer.put(hold.created)
            writer.put(UInt32(hold.reason.utf8.count))
            writer.put(hold.reason.utf8)
        }
    }

    init(_ sections: Sections) throws(FormatFault) {
        guard var reader = sections.optional(.holds, clause: .manifestLists) else { return }
        guard reader.remaining > 0 else { throw reader.fault }
        while reader.remaining > 0 {
            let start = reader.fault
            let hold = try Hold(from: &reader)
            guard highestRemoved == 0, (nextNumber..<FormatBounds.counters).contains(hold.number) else { throw start }
            if hold == .removed(hold.number) {
                highestRemoved = hold.number
            } else {
                guard hold.from <= hold.to else { throw start }
                all.append(hold)
            }
        }
    }
}

extension Hold {
    fileprivate init(from reader: inout ByteReader) throws(FormatFault) {
        number = try reader.u64()
        from = Bucket(milliseconds: try reader.u64())
        to = Bucket(milliseconds: try reader.u64())
        created = try reader.u64()
        let length = reader.fault
        let count = Int(try reader.u32())
        guard count <= Self.reasonBytes, let text = String(validating: try reader.raw(count), as: UTF8.self) else {
            throw length
        }
        reason = text
    }
}
