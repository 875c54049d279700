import SegmentFormat

/// How many events a range holds.
public struct EventCount: Equatable, Sendable {
    public let events: Int
    /// No fault is known that may have cost events of the range.
    public let isComplete: Bool
}

extension LogSnapshot {
    /// How many events have their stored time in `range` (milliseconds, both ends in): what a scan would
    /// deliver, from metadata alone. Blocks on the disk where the block index of a segment that straddles
    /// an end is not cached, and for each block that does.
    public func count(in range: ClosedRange<UInt64> = 0...UInt64.max) throws(StoreError) -> EventCount {
        var walk = MetadataWalk(self, range)
        var events = 0
        try walk.visit { events += $0.lines }
        return EventCount(events: events, isComplete: walk.isComplete)
    }

    /// A strong validator of the events in `range`, by what `count(in:)` costs: it is the same exactly as
    /// long as the same events are there, wherever they are stored. `nil` where a fault is known that may
    /// keep some of them from being served.
    ///
    /// Events only come with a sequence above all others, and only go. So if count and highest sequence
    /// are what they were, nothing came, and if nothing came, nothing went.
    public func tag(of range: ClosedRange<UInt64> = 0...UInt64.max) throws(StoreError) -> Hash128? {
        var walk = MetadataWalk(self, range)
        var (events, last) = (0, Sequence(0))
        try walk.visit {
            events += $0.lines
            last = max(last, $0.lastSequence)
        }
        guard walk.isComplete else { return nil }
        let words = [
            store.value, range.lowerBound, range.upperBound, eraseCount, UInt64(events), last.value,
        ]
        return words.map(\.littleEndian).withUnsafeBytes { xxh3Wide($0) }
    }
}
