import SegmentFormat

// A scan in order of bucket, then sequence. Where blocks do not overlap in time they stream one by
// one; where they do, the next stretch of buckets, a window, is gathered from all blocks that share it,
// each block decoded once a window, and of each block only the slice that is wanted.

final class TimeOrder: LineSource {
    let order = ScanRequest.Order.time
    private var queue: BlockQueue
    let reader: BlockReader
    private let pool: ScanPool
    private let last: Bucket
    /// Blocks that overlap others and have lines at or behind `floor`, in order of sequence.
    private var open: [SharedBlock] = []
    private var planner = WindowPlanner()
    /// The first bucket that was not delivered whole.
    private var floor: Bucket
    /// Of a bucket too large to gather: the order of time is that of arrival there.
    private var large: ArrivalOrder?
    private let snapshot: LogSnapshot
    private let hasCold: Bool
    private let filter: BlockFilter
    /// The last line that came from a block of its own.
    private var streamed: ScanPosition?
    private var lease: ScanLease?

    init(_ snapshot: LogSnapshot, _ filter: BlockFilter, _ reader: BlockReader) {
        queue = BlockQueue(snapshot, .time, filter, reader)
        self.snapshot = snapshot
        hasCold = snapshot.sealed.entries.contains { $0.day != nil && filter.mayHold($0) }
        self.filter = filter
        self.reader = reader
        pool = snapshot.access.pool
        floor = filter.buckets.lowerBound
        last = filter.buckets.upperBound
    }

    func next(lines: Int) throws(StoreError) -> ScanPiece? {
        guard large == nil else { return .gathered }
        if open.isEmpty, let block = try takeLoneBlock() {
            defer { floor = max(floor, block.entry.lastBucket) }
            return .block(block, buckets: floor...last)
        }
        return try hasMore() ? .gathered : nil
    }

    /// Of a window all, so that the output has to be empty; of a bucket too large for one a block or a chunk.
    func moveGathered(to output: ScanOutput, lines: Int) throws(StoreError) {
        guard let large else {
            if output.byteCount == 0 { try gatherWindow(into: output, lines: lines) }
            return
        }
        guard let piece = try large.next(lines: lines) else {
            self.large = nil
            return
        }
        try large.move(piece, to: output, lines: lines)
    }

    func didClear() { lease = nil }

    func didStream(through position: ScanPosition) { streamed = position }

    private func hasMore() throws(StoreError) -> Bool {
        guard floor <= last else { return false }
        guard open.isEmpty else { return true }
        return try queue.peek() != nil
    }

    /// The next block, if it lies before all others: no other block has a line that belongs before its
    /// last.
    private func takeLoneBlock() throws(StoreError) -> BlockReference? {
        guard floor <= last, let (block, isAlone) = try queue.take() else { return nil }
        if isAlone { return block }
        try overlap(block)
        return nil
    }

    // MARK: - Windows

    private func gatherWindow(into output: ScanOutput, lines: Int) throws(StoreError) {
        let lease = pool.lease()
        // Half, for what putting lines in order takes where a segment is not in order of sequence.
        try planWindow(budget: hasCold ? lease.bytes / 2 : lease.bytes, lines: lines)
        open.sort { $0.entry.firstSequence < $1.entry.firstSequence }
        guard let window = planner.finish() else {
            open = []
            return
        }
        if window.isTooLarge {
            large = filter(of: window.last).map { ArrivalOrder(snapshot, $0, reader) }
        } else {
            try gather(window, into: output)
            self.lease = lease
        }
        open.removeAll { $0.entry.lastBucket <= window.last }
        floor = Bucket(milliseconds: window.last.milliseconds + 1)
    }

    /// Opens every block that has lines in the next window. A short window stays in the processor's cache, but
    /// the more blocks its end cuts through, the longer it has to be to pay; and it holds its first bucket, if
    /// there is room for that at all.
    private func planWindow(budget most: Int, lines: Int) throws(StoreError) {
        var budget = min(most, Bounds.scanChunk)
        while true {
            planner.begin(budget: budget, lines: lines)
            if planner.hasLostCount {
                planner.restart()
                for block in open { try count(block.block) }
            }
            while let block = try queue.peek(), block.entry.firstBucket <= planner.bound {
                queue.advance()
                try overlap(block)
            }
            guard budget < min(most, max(cutBytes * Bounds.windowPerCut, planner.firstCost)) else { return }
            budget = min(most, 2 * budget)
        }
    }

    /// At most so much is decoded for the planned window and again for the next one.
    private var cutBytes: Int {
        let cut = open.filter { $0.entry.firstBucket <= planner.bound && $0.entry.lastBucket > planner.bound }
        return cut.reduce(0) { sum, shared in
            let isWhole = shared.block.segment.isInOrderOfTime
            return sum + (isWhole ? shared.entry.rawLength : min(shared.entry.rawLength, FormatBounds.lz4BlockBytes))
        }
    }

    private func overlap(_ block: BlockReference) throws(StoreError) {
        open.append(SharedBlock(block))
        try count(block)
    }

    private func count(_ block: BlockReference) throws(StoreError) {
        if block.entry.isSingleBucket {
            planner.add(
                Run(bucket: block.entry.firstBucket, lines: block.entry.lines, bytes: block.entry.rawLength))
            return
        }
        guard let meta = try reader.meta(block) else { return }
        for run in meta.runs[BlockSlice(meta, floor...last).runs] { planner.add(run) }
    }

    /// Copies each run to the place that the plan gives it: buckets in order, and in a bucket the blocks
    /// in order of their first sequence.
    private func gather(_ window: WindowPlanner.Window, into output: ScanOutput) throws(StoreError) {
        var layout = WindowLayout(window, output)
        for block in open where block.entry.firstBucket <= window.last {
            try reader.gather(block, buckets: floor...window.last, into: &layout)
        }
        layout.finish()
    }

    // MARK: - A bucket beyond the budget

    /// What is left of the bucket: lines that were streamed, or that earlier pages had, came before it.
    private func filter(of bucket: Bucket) -> BlockFilter? {
        let done = [streamed, filter.start].compactMap { $0 }.filter { $0.bucket == bucket }.map(\.sequence).max()
        let first = max(filter.sequences.lowerBound, (done ?? Sequence(0)) + 1)
        guard first <= filter.sequences.upperBound else { return nil }
        return BlockFilter(buckets: bucket...bucket, sequences: first...filter.sequences.upperBound)
    }
}
