import SegmentFormat

/// The events of one UTC day, by their stored time.
public struct DayTotals: Equatable, Sendable {
    /// Days since 1970-01-01.
    public let day: Int
    public var events: Int
    /// Of their lines, decompressed, with their LFs.
    public var rawBytes: Int
}

/// The days of a range that hold events, earliest first.
public struct DayReport: Equatable, Sendable {
    public let days: [DayTotals]
    /// Milliseconds: where the range goes on that these days do not exhaust.
    public let next: UInt64?
    /// No fault is known that may have cost events of the range.
    public let isComplete: Bool
}

extension LogSnapshot {
    /// The first `limit` days of `range` (milliseconds, both ends in) that hold events, from metadata
    /// alone; of blocks that hold more than one day the meta frame is read.
    public func days(
        in range: ClosedRange<UInt64> = 0...UInt64.max, limit: Int = Bounds.reportedDays
    ) throws(StoreError) -> DayReport {
        guard limit > 0 else { throw .badArgument("the limit must be at least 1") }
        var walk = MetadataWalk(self, range)
        var sums = DaySums(limit: limit)
        try walk.visit(undivided: Bucket.areOfOneDay) { sums.add($0) }
        return sums.report(isComplete: walk.isComplete)
    }
}

extension Bucket {
    fileprivate static func areOfOneDay(_ a: Bucket, _ b: Bucket) -> Bool { a.day == b.day }
}

/// However many days there are, only so many are added up at a time: the earliest.
private struct DaySums {
    private let limit: Int
    private var sums: [Int: DayTotals] = [:]
    /// Later days were dropped.
    private var last = Int.max

    init(limit: Int) { self.limit = limit }

    mutating func add(_ group: LineGroup) {
        let day = group.firstBucket.day
        guard day <= last else { return }
        sums[day, default: DayTotals(day: day, events: 0, rawBytes: 0)].events += group.lines
        sums[day]?.rawBytes += group.rawBytes
        if sums.count > 2 * limit { dropLatest() }
    }

    private mutating func dropLatest() {
        guard sums.count > limit else { return }
        last = sums.keys.sorted()[limit - 1]
        let last = last
        sums = sums.filter { $0.key <= last }
    }

    mutating func report(isComplete: Bool) -> DayReport {
        dropLatest()
        let next = last == .max ? nil : UInt64(last + 1) * Bucket.dayMilliseconds
        return DayReport(days: sums.values.sorted { $0.day < $1.day }, next: next, isComplete: isComplete)
    }
}
