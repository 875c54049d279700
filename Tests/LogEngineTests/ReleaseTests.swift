import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Releasing what others have stored")
struct ReleaseTests {
    private func filled() async throws -> KeptLog {
        let kept = try KeptLog()
        for _ in 0..<3 {
            try await kept.append((0..<10).map { kept.bucket(daysAgo: 1, $0) })
            try await kept.log.seal()
        }
        try await kept.append((0..<10).map { kept.bucket(daysAgo: 0, $0) })
        return kept
    }

    @Test(
        "whole segments go, those with an event behind the sequence stay",
        arguments: [
            (UInt64(9), 0, 1), (10, 1, 11), (29, 2, 21), (30, 3, 31), (39, 3, 31),
        ])
    func whole(through: UInt64, segments: Int, first: UInt64) async throws {
        let kept = try await filled()
        #expect(try await kept.log.release(through: Sequence(through), sealingFrom: .max) == segments)
        #expect(try kept.read() == kept.expected().filter { $0.sequence >= Sequence(first) })
        #expect(try kept.files().count == 4 - segments)
        try await kept.reopen()
        #expect(kept.log.snapshot().firstSequence == Sequence(first))
        #expect(kept.log.snapshot().lastSequence == Sequence(40))
        try await kept.log.close()
    }

    @Test("the active segment goes when it is large enough, and sequences go on behind it")
    func active() async throws {
        let kept = try await filled()
        #expect(try await kept.log.release(through: Sequence(40), sealingFrom: 1 << 20) == 3)
        #expect(try await kept.log.release(through: Sequence(40), sealingFrom: 1) == 1)
        #expect(try await kept.log.release(through: Sequence(40), sealingFrom: 1) == 0)
        #expect(try kept.read().isEmpty)
        #expect(kept.log.snapshot().lastSequence == Sequence(40))
        for _ in 0..<2 {
            try await kept.reopen()
            #expect(kept.log.snapshot().lastSequence == Sequence(40))
        }
        try await kept.append([kept.bucket(daysAgo: 0)])
        #expect(try kept.read().map(\.sequence) == [Sequence(41)])
        try await kept.log.close()
    }

    @Test("deliveries are remembered beyond their segment")
    func deliveries() async throws {
        let kept = try KeptLog()
        let batch = try await kept.append([kept.bucket(daysAgo: 1)], key: 7)
        try await kept.log.seal()
        #expect(try await kept.log.release(through: Sequence(1), sealingFrom: 1) == 1)
        try await kept.reopen()
        #expect(try await kept.log.append(batch.lines, delivery: batch.delivery).isRepeat)
        try await kept.log.close()
    }

    @Test("the backlog is counted from metadata")
    func backlog() async throws {
        let kept = try await filled()
        let snapshot = kept.log.snapshot()
        #expect(
            [0, 10, 15, 39, 40, 99].map { snapshot.backlog(behind: Sequence($0)).events } == [40, 30, 25, 1, 0, 0])
        let bytes = kept.expected().reduce(0) { $0 + $1.line.utf8.count + 1 }
        #expect(snapshot.backlog(behind: Sequence(0)).bytes == UInt64(bytes))
        try await kept.log.close()
    }
}
