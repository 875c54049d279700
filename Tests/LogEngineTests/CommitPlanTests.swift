import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What a commit does")
struct CommitPlanTests {
    @Test(
        "a key is remembered for 24 hours at any resolution",
        arguments: [1, 600_000, 43_200_000, 86_400_000] as [UInt64])
    func keyMemory(_ resolution: UInt64) throws {
        let resolution = try #require(Resolution(milliseconds: resolution))
        let batch = TestBatch(10, buckets: [1], key: 1)
        let now: UInt64 = 1_795_046_399_000
        let plan = CommitPlan(
            [PendingAppend(batch.lines, delivery: batch.delivery)], after: DeliveryMemory(resolution: resolution),
            nextSequence: .first,
            horizon: .earliest, resolution: resolution, now: now)
        var memory = DeliveryMemory(resolution: resolution)
        for delivery in plan.keyed { memory.remember(delivery) }
        let delivery = try #require(batch.delivery)
        #expect(memory.answer(to: delivery, now: now + 86_400_000) != .unknown)
        memory.trim(now: now + 86_400_000)
        #expect(memory.answer(to: delivery, now: now + 86_400_000) != .unknown)
        #expect(memory.answer(to: delivery, now: now + 86_400_001 + resolution.milliseconds) == .unknown)
    }

    @Test(
        "what no block can hold is refused, never acknowledged",
        arguments: [TestEvent(1, bucket: .latest), TestEvent(2, bucket: .ofTest(1), padding: 5 << 20)])
    func beyondBlocks(_ event: TestEvent) async throws {
        let environment = TestEnvironment().on(VirtualDisk())
        let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment)
        do throws(StoreError) {
            _ = try await log.append(TestBatch(1, [event]).lines, delivery: nil)
            let events = try readAll(log.snapshot(), ScanRequest(order: .arrival)).events
            #expect(events.count == 1, "acknowledged and lost")
        } catch {
            #expect(error.code == .tooLarge || error.code == .badArgument)
        }
        try await log.close()
    }
}
