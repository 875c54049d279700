import SegmentFormat

// Finds how far a window of a scan in order of arrival may reach, from metadata alone: what a block says of its
// sequences, and the mean length of its lines. However many lines there are, only those that may fit are kept.

struct SequencePlanner {
    private let floor: Sequence
    private let budget: Int
    private let lines: Int
    /// The highest sequence of what was counted, or, once that did not fit, the one where the window ends.
    private var limit = Sequence(0)
    private var isCut = false
    private var counted: [(sequence: UInt64, cost: Int)] = []
    /// Bytes that the lines counted take, about.
    private(set) var cost = 0

    /// `lines` is how many are wanted at most.
    init(from floor: Sequence, budget: Int, lines: Int) {
        self.floor = floor
        self.budget = budget
        self.lines = lines
    }

    /// Whether the window may reach a block that was not counted yet.
    func reaches(_ block: BlockIndexEntry) -> Bool { block.firstSequence <= limit }

    /// The same of a block that overlaps those that were counted, or is the first.
    func mayReach(_ block: BlockIndexEntry) -> Bool { !isCut || reaches(block) }

    mutating func add(_ meta: BlockMeta, _ slice: BlockSlice) {
        if !isCut { limit = max(limit, meta.lastSequence) }
        let mean = meta.rawLength / meta.lines + 1 + GatheredLines.lineOverhead
        let span = slice.span(meta)
        for index in 0..<span.count {
            let sequence = span.sequence(index)
            guard sequence >= floor, sequence <= limit else { continue }
            counted.append((sequence.value, mean))
            cost += mean
        }
        if cost > 2 * budget { cut() }
    }

    /// Keeps the lines that fit, at least one.
    private mutating func cut() {
        counted.sort { $0.sequence < $1.sequence }
        var (kept, sum) = (0, 0)
        while kept < counted.count, kept == 0 || kept < lines && sum + counted[kept].cost <= budget {
            sum += counted[kept].cost
            kept += 1
        }
        guard kept > 0, kept < counted.count else { return }
        counted.removeSubrange(kept...)
        cost = sum
        limit = Sequence(counted[kept - 1].sequence)
        isCut = true
    }

    /// The last sequence of the window, and about how many bytes it takes.
    mutating func finish() -> (limit: Sequence, cost: Int) {
        if cost > budget || counted.count > lines { cut() }
        return (limit, cost)
    }
}
