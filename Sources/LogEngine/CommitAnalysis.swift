import SegmentFormat

// Which blocks of a surveyed segment count (SPEC §8). Pure: the rules of recovery in one place.
//
// Let L be the highest commit number with a valid meta. Commit n+1 is never written before the sync
// of n returned, so bad bytes below L are corruption, and an incomplete L and what follows are a torn
// tail: they were never acknowledged. A cold segment has no tail: it was sealed before it had its name.

struct CommitAnalysis: Sendable {
    /// The good blocks of commits that count, in file order.
    let served: [SurveyedBlock]
    let lastCommit: CommitNumber
    /// The end of the last served block, or of the head.
    let end: UInt64
    /// Bad below the last commit.
    let corruption: [FormatFault]
    /// Bytes of the torn tail, 0 where there is none.
    let tornBytes: UInt64

    var isCorrupt: Bool { !corruption.isEmpty }

    /// With `knownLength` the file was closed or sealed at that length, and a seal is only written behind
    /// what was synced: nothing of either can be torn.
    init(_ survey: SegmentSurvey, knownLength: UInt64? = nil) {
        let highest = survey.blocks.map(\.entry.commit).max() ?? .none
        let inHighest = survey.blocks.filter { $0.entry.commit == highest }
        let isWhole = Self.isComplete(inHighest)
        let mayBeTorn = knownLength == nil && survey.seal == nil && !survey.kind.isCold
        let isTorn = mayBeTorn && highest != .none && !isWhole
        lastCommit = isTorn ? CommitNumber(highest.value - 1) : highest
        let below = survey.blocks.filter { !isTorn || $0.entry.commit < highest }
        served = below.filter(\.hasGoodData)
        end = below.last?.entry.end ?? survey.headEnd

        let end = self.end
        var corruption = survey.faults.filter { !mayBeTorn || $0.offset < end || survey.head == nil }
        if let disorder = Self.firstOutOfOrder(below, survey.kind, through: lastCommit) { corruption.append(disorder) }
        let endsEarly = survey.seal == nil && corruption.isEmpty && end < knownLength ?? 0
        if survey.length < knownLength ?? 0 || endsEarly {
            corruption.append(FormatFault(.fileLength, at: min(survey.length, end)))
        }
        self.corruption = corruption
        tornBytes = mayBeTorn && survey.length > end ? survey.length - end : 0
    }

    private static func isComplete(_ blocks: [SurveyedBlock]) -> Bool {
        guard let count = blocks.first?.blocksInCommit, blocks.count == count else { return false }
        return blocks.enumerated().allSatisfy {
            $1.indexInCommit == $0 && $1.blocksInCommit == count && $1.hasGoodData
        }
    }

    /// The first block that does not follow the one before it (C1, C2), or the end where the last commit
    /// lacks blocks.
    private static func firstOutOfOrder(
        _ blocks: [SurveyedBlock], _ kind: SegmentKind, through last: CommitNumber
    ) -> FormatFault? {
        var commit = CommitNumber.none
        var (index, count) = (0, 0)
        var order = BlockOrder(kind)
        for block in blocks {
            let startsCommit = block.entry.commit == commit.next && block.indexInCommit == 0 && index == count
            let continues =
                block.entry.commit == commit && block.indexInCommit == index && block.blocksInCommit == count
            guard startsCommit || continues && !kind.isCold else {
                return FormatFault(.commitOrder, at: block.entry.offset)
            }
            guard order.admits(block.entry) else { return FormatFault(.commitSequence, at: block.entry.offset) }
            commit = block.entry.commit
            count = block.blocksInCommit
            index = block.indexInCommit + 1
        }
        guard commit == last, index == count else {
            return FormatFault(.commitOrder, at: blocks.last?.entry.end ?? 0)
        }
        return nil
    }
}

/// What each block of a segment must be above (C2).
struct BlockOrder {
    private let kind: SegmentKind
    private var lastSequence = Sequence(0)
    private var lastBucket = Bucket.earliest

    init(_ kind: SegmentKind) { self.kind = kind }

    /// Whether the next block may follow those that were admitted.
    mutating func admits(_ entry: BlockIndexEntry) -> Bool {
        switch kind {
        case .hot:
            guard entry.firstSequence > lastSequence else { return false }
            lastSequence = max(lastSequence, entry.lastSequence)
        case .cold(let day):
            guard entry.lines > 0 else { return true }
            guard entry.firstBucket >= lastBucket, day.map({ entry.isOf(day: Int($0)) }) ?? true else { return false }
            lastBucket = entry.lastBucket
        }
        return true
    }
}

extension BlockIndexEntry {
    fileprivate func isOf(day: Int) -> Bool { firstBucket.day == day && lastBucket.day == day }
}
