import SegmentFormat

// Cuts a scan in order of time into windows, from run lists alone. Each block is counted once; however
// many buckets there are, only so many are counted at a time.

struct WindowPlanner {
    struct Window {
        /// Buckets in order; all of their lines belong to the window.
        var buckets: [Run]
        var last: Bucket
        /// Not even the first bucket fits the budget: it is the only one here.
        var isTooLarge: Bool
    }

    /// What ordering the lines of a bucket costs, beside their bytes.
    private static let bucketOverhead = 128
    private static let lineOverhead = 8

    /// The window that is being planned ends at or before it.
    private(set) var bound = Bucket.latest
    /// Buckets up to here are counted; beyond, what was counted had to be dropped.
    private var limit = Bucket.latest
    private var sums: [UInt64: Run] = [:]
    private let maximumBuckets: Int
    private var budget = 0
    private var lines = 0
    /// Cost of what was counted, at or before the bound, since the bound was last drawn.
    private var added = 0

    init(maximumBuckets: Int = 65_536) { self.maximumBuckets = maximumBuckets }

    /// Begins the next window. `lines` is how many are wanted at most.
    mutating func begin(budget: Int, lines: Int) {
        self.budget = budget
        self.lines = lines
        bound = limit
        drawBound()
    }

    /// Every counted bucket was handed out, and there are more: the blocks have to be counted again.
    var hasLostCount: Bool { sums.isEmpty && limit < .latest }

    /// What the first bucket costs: no window holds less.
    var firstCost: Int { sums.keys.min().flatMap { sums[$0] }.map(Self.cost) ?? 0 }

    mutating func restart() {
        limit = .latest
        bound = .latest
    }

    mutating func add(_ run: Run) {
        guard run.bucket <= limit else { return }
        if let index = sums.index(forKey: run.bucket.milliseconds) {
            sums.values[index].lines += run.lines
            sums.values[index].bytes += run.bytes
        } else {
            sums[run.bucket.milliseconds] = run
            if sums.count > maximumBuckets { dropHalf() }
        }
        guard run.bucket <= bound else { return }
        added += Self.cost(run)
        if added > budget { drawBound() }
    }

    private static func cost(_ run: Run) -> Int { run.bytes + run.lines * lineOverhead + bucketOverhead }

    private mutating func dropHalf() {
        let kept = sums.keys.sorted().prefix(maximumBuckets / 2)
        guard let last = kept.last else { return }
        sums = sums.filter { $0.key <= last }
        limit = Bucket(milliseconds: last)
        bound = min(bound, limit)
    }

    /// The bound is the last bucket of those that fit, in order; at least one always does. It never rises
    /// within a window: blocks that begin behind it were not opened.
    private mutating func drawBound() {
        added = 0
        var (cost, count) = (0, 0)
        var last: UInt64?
        for bucket in sums.keys.sorted() where bucket <= bound.milliseconds {
            guard let run = sums[bucket] else { continue }
            cost += Self.cost(run)
            guard let last, cost > budget || count >= lines else {
                last = bucket
                count += run.lines
                continue
            }
            bound = Bucket(milliseconds: last)
            return
        }
    }

    /// Takes the window out of the count; `nil` where there is no line.
    mutating func finish() -> Window? {
        drawBound()
        let buckets = sums.values.filter { $0.bucket <= bound }.sorted { $0.bucket < $1.bucket }
        guard let last = buckets.last else { return nil }
        for run in buckets { sums[run.bucket.milliseconds] = nil }
        let isTooLarge = buckets.count == 1 && Self.cost(buckets[0]) > budget
        return Window(buckets: buckets, last: last.bucket, isTooLarge: isTooLarge)
    }
}
