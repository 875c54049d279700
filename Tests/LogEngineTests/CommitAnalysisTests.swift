import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// V2: which blocks of a surveyed segment count.
@Suite("What counts of a segment")
struct CommitAnalysisTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// A block is its commit, its place and the commit's size, and how it is: `1:0/2`, `1:0/2 bad data`,
        /// `1:0/2 lost`, `garbage`, each 100 bytes long, behind a head of 100 bytes.
        let blocks: [String]
        /// The places of those served.
        let served: [Int]
        var corruption: [Clause] = []
        var torn: UInt64 = 0
        var lastCommit: UInt64 = 0

        init(
            _ description: String, _ blocks: String, served: [Int], corruption: [Clause] = [], torn: UInt64 = 0,
            last: UInt64
        ) {
            testDescription = description
            self.blocks = blocks.split(separator: ",").map { String($0.drop { $0 == " " }) }
            self.served = served
            self.corruption = corruption
            self.torn = torn
            lastCommit = last
        }
    }

    private static let uncleanEnds = [
        Case("only a head", "", served: [], last: 0),
        Case("complete commits", "1:0/1, 2:0/2, 2:1/2, 3:0/1", served: [0, 1, 2, 3], last: 3),
        Case("garbage behind is torn", "1:0/1, garbage, garbage", served: [0], torn: 200, last: 1),
        Case("garbage alone is torn", "garbage", served: [], torn: 100, last: 0),
        Case("a commit that lacks its end is torn", "1:0/1, 2:0/2", served: [0], torn: 100, last: 1),
        Case("a commit that lacks its beginning is torn", "1:0/1, 2:0/2 lost, 2:1/2", served: [0], torn: 200, last: 1),
        Case("a commit with a hole is torn", "1:0/1, 2:0/3, 2:1/3 lost, 2:2/3", served: [0], torn: 300, last: 1),
        Case("a commit with bad data is torn", "1:0/1, 2:0/1 bad data", served: [0], torn: 100, last: 1),
        Case("the first commit may be torn", "1:0/2, 1:1/2 bad data", served: [], torn: 200, last: 0),
        Case("what stands behind a torn commit goes with it", "1:0/1, 2:0/2, garbage", served: [0], torn: 200, last: 1),
        Case(
            "bad data below is corruption", "1:0/1 bad data, 2:0/1",
            served: [1], corruption: [.dataChecksum], last: 2),
        Case(
            "a lost meta below is corruption, and a gap", "1:0/1, 2:0/1 lost, 3:0/1",
            served: [0, 2], corruption: [.frameChecksum, .commitOrder], last: 3),
        Case(
            "bad below and torn behind are both told", "1:0/1 bad data, 2:0/1, 3:0/2",
            served: [1], corruption: [.dataChecksum], torn: 100, last: 2),
        Case(
            "bad below a torn commit is corruption", "1:0/1 bad data, 2:0/2",
            served: [], corruption: [.dataChecksum], torn: 100, last: 1),
        Case(
            "a gap below a torn commit is corruption", "1:0/1, 3:0/2",
            served: [0], corruption: [.commitOrder], torn: 100, last: 2),
        Case(
            "a segment that begins with a later commit lacks some", "2:0/1",
            served: [0], corruption: [.commitOrder], last: 2),
        Case("a commit below that lacks its end", "1:0/2, 2:0/1", served: [0, 1], corruption: [.commitOrder], last: 2),
        Case("commits out of order", "2:0/1, 1:0/1", served: [0, 1], corruption: [.commitOrder], last: 2),
        Case(
            "garbage between commits is corruption", "1:0/1, garbage, 2:0/1",
            served: [0, 2], corruption: [.frameChecksum], last: 2),
    ]

    @Test("after an unclean end", arguments: uncleanEnds)
    func uncleanEnd(_ story: Case) { check(story, CommitAnalysis(survey(story.blocks))) }

    private static let knownLengths = [
        Case("complete", "1:0/1, 2:0/1", served: [0, 1], last: 2),
        Case("the last commit lacks its end", "1:0/1, 2:0/2", served: [0, 1], corruption: [.commitOrder], last: 2),
        Case("the last commit is bad", "1:0/1, 2:0/1 bad data", served: [0], corruption: [.dataChecksum], last: 2),
        Case("the last commit is lost", "1:0/1, 2:0/1 lost", served: [0], corruption: [.frameChecksum], last: 1),
        Case("garbage behind", "1:0/1, garbage", served: [0], corruption: [.frameChecksum], last: 1),
        Case("all lost", "1:0/1 lost, 2:0/1 lost", served: [], corruption: [.frameChecksum, .frameChecksum], last: 0),
    ]

    @Test("of a closed or sealed segment nothing is torn: whatever is wrong is corruption", arguments: knownLengths)
    func knownLength(_ story: Case) {
        let survey = survey(story.blocks)
        check(story, CommitAnalysis(survey, knownLength: survey.length))
        var sealed = survey
        sealed.seal = Seal(
            segment: SegmentNumber(1), totals: SegmentTotals(startingAt: .first), index: [], keyed: [], sourced: [],
            fileHash: Hash128(low: 0, high: 0))
        check(story, CommitAnalysis(sealed))
    }

    @Test("a file shorter than its known length is corrupt, even if it ends behind a commit", arguments: [1, 100, 150])
    func tooShort(_ missing: UInt64) {
        let survey = survey(["1:0/1", "2:0/1"])
        let analysis = CommitAnalysis(survey, knownLength: survey.length + missing)
        #expect(analysis.served.count == 2 && analysis.tornBytes == 0)
        #expect(analysis.corruption == [FormatFault(.fileLength, at: survey.length)])
    }

    @Test("without a head whatever is bad is corruption, and good blocks are served")
    func noHead() {
        for blocks in [[], ["1:0/1"], ["1:0/1", "garbage"]] {
            var survey = survey(blocks)
            survey.head = nil
            survey.faults.insert(FormatFault(.frameChecksum, at: 0), at: 0)
            let analysis = CommitAnalysis(survey)
            #expect(analysis.isCorrupt && analysis.served.count == min(blocks.count, 1))
        }
    }

    @Test("a block whose sequences do not rise above those before is corruption")
    func sequences() {
        for (first, isRight) in [(Sequence(1), false), (Sequence(2), true), (Sequence(9), true)] {
            var survey = survey(["1:0/1", "2:0/1"])
            survey.blocks[1] = block("2:0/1", at: 200, first)
            let expected = isRight ? [] : [FormatFault(.commitSequence, at: 200)]
            #expect(CommitAnalysis(survey).corruption == expected)
        }
    }

    @Test("every combination of good, bad and lost blocks of three commits, against the rule")
    func everyCombination() {
        let places = ["1:0/1", "2:0/2", "2:1/2", "3:0/2", "3:1/2"]
        let commits = [1, 2, 2, 3, 3]
        for number in 0..<243 {
            let states = (0..<5).map { place in (0..<place).reduce(number) { value, _ in value / 3 } % 3 }
            let names = zip(places, states).map { $0 + ["", " bad data", " lost"][$1] }
            let analysis = CommitAnalysis(survey(names))
            let highest = zip(commits, states).filter { $1 != 2 }.map(\.0).max() ?? 0
            let isComplete = zip(commits, states).allSatisfy { $0 != highest || $1 == 0 }
            let last = isComplete ? highest : highest - 1
            let isCorrupt = zip(commits, states).contains { $0 <= last && $1 != 0 }
            let served = (0..<5).filter { commits[$0] <= last && states[$0] == 0 }
            #expect(analysis.lastCommit.value == UInt64(last), "\(names)")
            #expect(analysis.isCorrupt == isCorrupt, "\(names)")
            #expect(analysis.served.map { Int($0.entry.offset) / 100 - 1 } == served, "\(names)")
            #expect((analysis.tornBytes > 0) == commits.contains { $0 > last } || isCorrupt, "\(names)")
        }
    }

    // MARK: - Surveys

    private func check(_ story: Case, _ analysis: CommitAnalysis) {
        #expect(analysis.served.map { Int($0.entry.offset) / 100 - 1 } == story.served)
        #expect(analysis.corruption.map(\.clause) == story.corruption)
        #expect(analysis.tornBytes == story.torn && analysis.lastCommit == CommitNumber(story.lastCommit))
        #expect(analysis.isCorrupt == !story.corruption.isEmpty)
    }

    private func survey(_ blocks: [String]) -> SegmentSurvey {
        var survey = SegmentSurvey(kind: .hot)
        survey.head = SegmentHead(
            store: StoreID(1), segment: SegmentNumber(1), salt: Salt(1), stream: .interactions,
            resolution: .tenMinutes, created: 0, horizon: .earliest)
        survey.headEnd = 100
        survey.length = 100
        for (index, name) in blocks.enumerated() {
            let offset = survey.length
            survey.length += 100
            if name.hasSuffix("lost") || name == "garbage" {
                survey.faults.append(FormatFault(.frameChecksum, at: offset))
            } else {
                if name.hasSuffix("bad data") { survey.faults.append(FormatFault(.dataChecksum, at: offset + 60)) }
                survey.blocks.append(block(name, at: offset, Sequence(UInt64(index + 1))))
            }
        }
        return survey
    }

    private func block(_ name: String, at offset: UInt64, _ sequence: Sequence) -> SurveyedBlock {
        let numbers = name.split { ":/ ".contains($0) }.prefix(3).compactMap { Int($0) }
        var meta = BlockMeta(
            segment: SegmentNumber(1), commit: CommitNumber(UInt64(numbers[0])), indexInCommit: numbers[1],
            blocksInCommit: numbers[2], nextSequence: sequence, keyed: [], sourced: [])
        meta.runs = [Run(bucket: .ofTest(1), lines: 1, bytes: 10)]
        (meta.lastSequence, meta.lines, meta.rawLength, meta.storedLength) = (sequence, 1, 10, 40)
        return SurveyedBlock(
            entry: BlockIndexEntry(meta, offset: offset, metaLength: 60), indexInCommit: numbers[1],
            blocksInCommit: numbers[2], keyed: [], sourced: [], hasGoodData: !name.hasSuffix("bad data"))
    }
}
