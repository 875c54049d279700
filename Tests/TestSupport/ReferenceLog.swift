import LogEngine
import SegmentFormat

/// What a log must answer, as an array.
public struct ReferenceLog: Sendable {
    public struct Entry: Sendable {
        public let sequence: Sequence
        public let event: TestEvent

        public var read: ReadEvent { ReadEvent(sequence: sequence, brief: event.brief) }
    }

    /// In order of arrival.
    public private(set) var entries: [Entry] = []

    public init() {}

    public var lastSequence: Sequence { entries.last?.sequence ?? Sequence(0) }

    public mutating func append(_ events: [TestEvent], firstSequence: Sequence) {
        precondition(firstSequence > lastSequence, "sequence \(firstSequence.value) comes twice")
        for (index, event) in events.enumerated() {
            entries.append(Entry(sequence: firstSequence + index, event: event))
        }
    }

    /// The events of a scan; both ends of the range are in.
    public func scan(
        _ range: ClosedRange<UInt64> = 0...UInt64.max, order: ScanRequest.Order, limit: Int? = nil,
        after: Sequence? = nil
    ) -> [ReadEvent] {
        var found = entries.filter {
            range.contains($0.event.bucket.milliseconds) && $0.sequence > after ?? Sequence(0)
        }
        if order == .time {
            found.sort { ($0.event.bucket, $0.sequence) < ($1.event.bucket, $1.sequence) }
        }
        return found.prefix(limit ?? .max).map(\.read)
    }
}
