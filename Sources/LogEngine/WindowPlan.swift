import SegmentFormat

// Chooses the next window of a scan in order of time from run lists alone. However many buckets there
// are, no more of them are held than the budget has room for.

struct WindowPlan {
    /// What keeping count of a bucket and ordering its lines costs, beside its bytes.
    private static let bucketOverhead = 128
    private static let lineOverhead = 8

    struct Window {
        /// Buckets in order; all of them are gathered.
        var buckets: [Run]
        var last: Bucket
        /// Not even the first bucket fits: it is the only one here.
        var isTooLarge: Bool
    }

    /// No bucket above it can be in the window.
    private(set) var bound = Bucket.latest
    private var sums: [UInt64: (lines: Int, bytes: Int)] = [:]
    private var total = 0
    private let budget: Int
    private let lines: Int

    init(budget: Int, lines: Int) {
        self.budget = budget
        self.lines = lines
    }

    mutating func add(_ run: Run) {
        guard run.bucket <= bound else { return }
        let fresh = sums.updateSum(run)
        total += run.bytes + run.lines * Self.lineOverhead + (fresh ? Self.bucketOverhead : 0)
        if total > 2 * budget, sums.count > 1 { prune() }
    }

    /// Keeps the smallest buckets that fit, at least one, and lowers the bound to the last of them.
    private mutating func prune() {
        var kept = 0
        var keptLines = 0
        var remaining: [UInt64: (lines: Int, bytes: Int)] = [:]
        for bucket in sums.keys.sorted() {
            guard let sum = sums[bucket] else { continue }
            let cost = Self.cost(sum)
            guard remaining.isEmpty || (kept + cost <= budget && keptLines < lines) else { break }
            remaining[bucket] = sum
            kept += cost
            keptLines += sum.lines
            bound = Bucket(milliseconds: bucket)
        }
        sums = remaining
        total = kept
    }

    private static func cost(_ sum: (lines: Int, bytes: Int)) -> Int {
        sum.bytes + sum.lines * lineOverhead + bucketOverhead
    }

    /// The window, or `nil` where there is no line.
    consuming func finish() -> Window? {
        prune()
        let buckets = sums.map { Run(bucket: Bucket(milliseconds: $0), lines: $1.lines, bytes: $1.bytes) }
            .sorted { $0.bucket < $1.bucket }
        guard let last = buckets.last else { return nil }
        return Window(buckets: buckets, last: last.bucket, isTooLarge: buckets.count == 1 && total > budget)
    }
}

extension [UInt64: (lines: Int, bytes: Int)] {
    /// Adds a run to its bucket's sum; whether the bucket is new.
    fileprivate mutating func updateSum(_ run: Run) -> Bool {
        guard let index = index(forKey: run.bucket.milliseconds) else {
            self[run.bucket.milliseconds] = (run.lines, run.bytes)
            return true
        }
        values[index].lines += run.lines
        values[index].bytes += run.bytes
        return false
    }
}

/// Where the lines of a window go. Blocks come in order of sequence; what a block lacks, because it
/// is damaged, leaves a gap that `finish` closes.
struct WindowLayout {
    private struct Place {
        var run: Run
        var byte: Int
        var line: Int
        var bytesDone = 0
        var linesDone = 0
    }

    private var places: [Place] = []
    private var placeOfBucket: [UInt64: Int] = [:]
    private var sequences: [UInt64]
    let byteCount: Int

    init(_ window: WindowPlan.Window) {
        var (byte, line) = (0, 0)
        for run in window.buckets {
            placeOfBucket[run.bucket.milliseconds] = places.count
            places.append(Place(run: run, byte: byte, line: line))
            byte += run.bytes
            line += run.lines
        }
        byteCount = byte
        sequences = Array(repeating: 0, count: line)
    }

    mutating func copy(
        _ meta: BlockMeta, _ slice: BlockSlice, _ bytes: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer
    ) {
        let span = slice.span(meta)
        var (byte, line) = (0, 0)
        for run in meta.runs[slice.runs] {
            guard let index = placeOfBucket[run.bucket.milliseconds],
                places[index].bytesDone + run.bytes <= places[index].run.bytes
            else { preconditionFailure("a run that was not planned") }
            let place = places[index]
            let start = place.byte + place.bytesDone
            UnsafeMutableRawBufferPointer(rebasing: output[start..<start + run.bytes])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[byte..<byte + run.bytes]))
            for offset in 0..<run.lines {
                sequences[place.line + place.linesDone + offset] = span.sequence(line + offset).value
            }
            places[index].bytesDone += run.bytes
            places[index].linesDone += run.lines
            byte += run.bytes
            line += run.lines
        }
    }

    /// Hands the lines over to the output that `place` belongs to.
    consuming func finish(_ place: UnsafeMutableRawBufferPointer, into output: ScanOutput) {
        var (byte, line) = (0, 0)
        var runs: [Run] = []
        for done in places where done.linesDone > 0 {
            if byte < done.byte {
                memmove(place.baseAddress, byte, from: done.byte, count: done.bytesDone)
                for offset in 0..<done.linesDone { sequences[line + offset] = sequences[done.line + offset] }
            }
            runs.append(Run(bucket: done.run.bucket, lines: done.linesDone, bytes: done.bytesDone))
            byte += done.bytesDone
            line += done.linesDone
        }
        sequences.removeLast(sequences.count - line)
        output.grow(by: runs, .listed(sequences))
    }

    private func memmove(_ base: UnsafeMutableRawPointer?, _ to: Int, from: Int, count: Int) {
        guard let base else { return }
        (base + to).copyMemory(from: base + from, byteCount: count)
    }
}
