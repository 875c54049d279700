import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("A commit of several blocks, torn")
struct TornCommitTests {
    private let before = TestBatch(100, buckets: [1, 2], key: 1)
    /// Two blocks of one batch, the first as large as a block gets.
    private let wide = TestBatch(
        200,
        [
            TestEvent(200, bucket: .ofTest(2), padding: LineBatch.blockTarget - 100),
            TestEvent(201, bucket: .ofTest(3), padding: 100),
        ],
        delivery: TestBatch.delivery(key: 2, []))
    private let path = Layout(data: dataDirectory, stream: .interactions).hotSegment(SegmentNumber(1))

    /// A store whose process was killed behind the commit, and the bytes of the commit.
    private func killed() async throws -> (stage: Scenario.Stage, commit: Range<Int>) {
        var stage = Scenario.Stage()
        var start = 0
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try await stage.append(before, to: log)
            start = stage.disk.contents(path)?.count ?? 0
            try await stage.append(wide, to: log)
        }
        let end = try #require(stage.disk.contents(path)).count
        #expect(start > 0 && end - start > 4_000)
        return (stage, start..<end)
    }

    @Test("cut at any byte, none of it counts and all before it does")
    func everyByte() async throws {
        let (stage, commit) = try await killed()
        let file = try StoreFile(stage.disk, path, .read)
        let whole = try analysis(of: file, length: commit.upperBound)
        #expect(whole.served.count == 3 && whole.tornBytes == 0 && whole.end == UInt64(commit.upperBound))
        for length in commit {
            let cut = try analysis(of: file, length: length)
            let isRight =
                cut.served.count == 1 && cut.end == UInt64(commit.lowerBound) && !cut.isCorrupt
                && cut.tornBytes == UInt64(length - commit.lowerBound)
            #expect(isRight, "cut at \(length) of \(commit)")
        }
    }

    private func analysis(of file: StoreFile, length: Int) throws -> CommitAnalysis {
        CommitAnalysis(
            try SegmentSurvey.read(file, length: UInt64(length), expecting: .init(segment: SegmentNumber(1))))
    }

    @Test("cut at any frame or in between, the repeat with the same key stores it then, once")
    func repeatAfterCut() async throws {
        var (stage, commit) = try await killed()
        stage.ledger.forgetAnswer(to: wide)
        let file = try StoreFile(stage.disk, path, .read)
        let frames = try analysis(of: file, length: commit.upperBound).served.map(\.entry).flatMap {
            [$0.offset, $0.offset + UInt64($0.metaLength), $0.end]
        }
        let edges = frames.flatMap { [Int($0) - 1, Int($0), Int($0) + 1] }
        let lengths = Set(edges + stride(from: commit.lowerBound, to: commit.upperBound, by: 211))
        for length in lengths.sorted() where (commit.lowerBound...commit.upperBound).contains(length) {
            let copy = stage.disk.copy()
            let file = try copy.open(path, .update)
            try file.truncate(to: UInt64(length))
            file.close()
            let harm = await examine(copy, stage.ledger, stage.environment)
            expectNone(harm, "cut at \(length) of \(commit)", copy)
        }
    }
}
