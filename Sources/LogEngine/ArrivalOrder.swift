import SegmentFormat

// A scan in order of sequence (SPEC M6). Blocks whose sequences overlap no other's stream as they lie; where
// they overlap, the next stretch of sequences whose lines fit the budget is gathered from all blocks that
// share it, each decoded once a window.

final class ArrivalOrder: LineSource {
    let order = ScanRequest.Order.arrival
    private var queue: BlockQueue
    private let buckets: ClosedRange<Bucket>
    let reader: BlockReader
    private let pool: ScanPool
    /// Blocks that overlap others and have lines at or above `floor`.
    private var open: [SharedBlock] = []
    /// The first sequence that was neither delivered nor gathered.
    private var floor: Sequence
    /// Gathered, and not all delivered; and the memory that it is charged to.
    private var gathered: (lines: GatheredLines, lease: ScanLease)?

    init(_ snapshot: LogSnapshot, _ filter: BlockFilter, _ reader: BlockReader) {
        queue = BlockQueue(snapshot, .arrival, filter, reader)
        buckets = filter.buckets
        floor = filter.sequences.lowerBound
        self.reader = reader
        pool = snapshot.access.pool
    }

    func next(lines: Int) throws(StoreError) -> ScanPiece? {
        while gathered == nil {
            if open.isEmpty {
                guard let (block, isAlone) = try queue.take() else { return nil }
                if isAlone { return .block(block, buckets: buckets) }
                open.append(SharedBlock(block))
            }
            try gather(lines: lines)
        }
        return .gathered
    }

    /// About a chunk at a time.
    func moveGathered(to output: ScanOutput, lines: Int) {
        if gathered?.lines.move(to: output, lines: lines) != true { gathered = nil }
    }

    func didClear() {}

    func didStream(through position: ScanPosition) {}

    // MARK: - Windows

    private func gather(lines: Int) throws(StoreError) {
        let lease = pool.lease()
        var (limit, cost) = try plan(budget: lease.bytes, lines: lines)
        let found = GatheredLines(capacity: min(cost + cost / 4, lease.bytes))
        for block in open where block.entry.firstSequence <= limit {
            try reader.withLines(block, buckets: buckets) { meta, slice, bytes in
                found.append(meta, slice, bytes, sequences: floor...limit)
            }
            // More than the plan says: blocks know the length of their lines, but not of each.
            while found.cost > lease.bytes, let lower = found.keepLowerHalf() { limit = lower }
        }
        floor = limit + 1
        open.removeAll { $0.entry.lastSequence < floor }
        guard !found.isEmpty else { return }
        found.sort()
        gathered = (found, lease)
    }

    /// Opens every block that has lines in the next window. Returns the last sequence of the window, and
    /// about how many bytes it takes.
    private func plan(budget: Int, lines: Int) throws(StoreError) -> (limit: Sequence, cost: Int) {
        var planner = SequencePlanner(from: floor, budget: budget, lines: lines)
        var readable: [SharedBlock] = []
        for block in open where try count(block, &planner) { readable.append(block) }
        open = readable
        while let next = try queue.peek(), planner.reaches(next.entry) {
            queue.advance()
            let block = SharedBlock(next)
            if try count(block, &planner) { open.append(block) }
        }
        return planner.finish()
    }

    /// False where the block has no line that is wanted, or is damaged.
    private func count(_ block: SharedBlock, _ planner: inout SequencePlanner) throws(StoreError) -> Bool {
        guard planner.mayReach(block.entry) else { return true }
        guard let meta = try reader.meta(block.block) else { return false }
        let slice = BlockSlice(meta, buckets)
        if slice.lines > 0 { planner.add(meta, slice) }
        return slice.lines > 0
    }
}
