import LogEngine
import SegmentFormat
import Synchronization
import TestSupport
import Testing

@Suite("what a commit tells of itself")
struct CommitReportTests {
    private let batch = TestBatch(1, buckets: [3, 1, 2], key: 1)
    private let stage = Scenario.Stage()

    @Test("each commit that made something durable is told, before who appended hears of it; others are not")
    func reports() async throws {
        let log = try EventLog.open(
            dataDirectory, options: LogOptions(), environment: stage.environment.on(stage.disk))
        let reports = Mutex<[CommitReport]>([])
        log.observeCommits { report in reports.withLock { $0.append(report) } }
        func stored() -> UInt64 { log.snapshot().segments.reduce(0) { $0 + $1.storedBytes } }

        let head = stored()
        _ = try await log.append(batch.lines, delivery: batch.delivery)
        let first = try #require(reports.withLock { $0.first })
        #expect(first.batches == 1 && first.events == 3 && first.bytes == stored() - head)
        #expect(first.syncNanoseconds == 0, "the clock of the test stands still")
        _ = try await log.append(batch.lines, delivery: batch.delivery)
        #expect(reports.withLock { $0.count } == 1, "a repeat")

        stage.disk.fail(.sync, at: stage.disk.calls(of: .sync) + 1, with: .inputOutput)
        await #expect(throws: StoreError.self) {
            _ = try await log.append(TestBatch(10, buckets: [1], key: 2).lines, delivery: nil)
        }
        #expect(reports.withLock { $0.count } == 1, "a failed sync")
        try? await log.close()
    }
}
