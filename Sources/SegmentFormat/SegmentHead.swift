/// A stream's name: 1–64 of `a–z 0–9 -`. It is also its folder's name.
public struct StreamName: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public static let interactions = StreamName(unchecked: "interactions")
    /// What was done to the other streams.
    public static let audit = StreamName(unchecked: "audit")
    /// What a webhead has still to forward.
    public static let spool = StreamName(unchecked: "spool")

    private init(unchecked name: String) { description = name }

    public init?(_ name: String) {
        guard Self.isLegal(name.utf8) else { return nil }
        description = name
    }

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard Self.isLegal(bytes) else { return nil }
        description = String(decoding: bytes, as: UTF8.self)
    }

    private static func isLegal(_ bytes: some Collection<UInt8>) -> Bool {
        (1...64).contains(bytes.count)
            && bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}

/// The first frame of a segment (SPEC §3).
public struct SegmentHead: Equatable, Sendable {
    public var store: StoreID
    public var segment: SegmentNumber
    public var salt: Salt
    public var stream: StreamName
    public var resolution: Resolution
    /// Milliseconds, floored to the resolution.
    public var created: UInt64
    public var horizon: Bucket
    public var replaced: [SegmentNumber]

    public init(
        store: StoreID, segment: SegmentNumber, salt: Salt, stream: StreamName, resolution: Resolution,
        created: UInt64, horizon: Bucket, replaced: [SegmentNumber] = []
    ) {
        self.store = store
        self.segment = segment
        self.salt = salt
        self.stream = stream
        self.resolution = resolution
        self.created = created
        self.horizon = horizon
        self.replaced = replaced
    }

    public func encoded() -> [UInt8] {
        var frame = FrameWriter(.head)
        frame.section(.identity) {
            $0.put(store.value)
            $0.put(segment.value)
            $0.put(salt.value)
        }
        frame.section(.stream) { $0.put(stream.description.utf8) }
        frame.section(.time) {
            $0.put(resolution.milliseconds)
            $0.put(created)
            $0.put(horizon.milliseconds)
        }
        frame.list(.replacedSegments, replaced) { $1.put($0.value) }
        return frame.finish(salt: .none)
    }

    /// Decodes the frame at the start of `bytes`; returns it with its length in bytes.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(FormatFault) -> (head: SegmentHead, length: Int) {
        let sections = try Sections(
            bytes, at: 0, kind: .head, salt: .none, allowed: [.identity, .stream, .time, .replacedSegments])
        var identity = try sections.required(.identity)
        let store = StoreID(try identity.u64())
        let segment = SegmentNumber(try identity.u64())
        let salt = Salt(try identity.u64())
        try identity.finished()

        let name = try sections.required(.stream)
        guard let stream = StreamName(name.bytes) else { throw FormatFault(.headStream, at: name.origin) }

        var time = try sections.required(.time)
        guard let resolution = Resolution(milliseconds: try time.u64()) else {
            throw FormatFault(.headResolution, at: time.origin)
        }
        let created = try time.u64()
        let horizon = Bucket(milliseconds: try time.u64())
        try time.finished()

        let replaced = try sections.list(.replacedSegments, bytesEach: 8) { (reader) throws(FormatFault) in
            SegmentNumber(try reader.u64())
        }
        let head = SegmentHead(
            store: store, segment: segment, salt: salt, stream: stream, resolution: resolution,
            created: created, horizon: horizon, replaced: replaced)
        return (head, sections.frameLength)
    }
}
