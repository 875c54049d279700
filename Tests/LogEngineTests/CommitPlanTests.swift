import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What a commit does")
struct CommitPlanTests {
    private static let now: UInt64 = 1_795_000_345_678
    private static let flooredNow: UInt64 = 1_795_000_200_000
    private static let source = SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3)

    private func plan(
        _ batches: [TestBatch], after memory: DeliveryMemory = DeliveryMemory(resolution: .tenMinutes),
        horizon: Bucket = .earliest
    ) -> CommitPlan {
        CommitPlan(
            batches.map { PendingAppend($0.lines, delivery: $0.delivery) }, after: memory,
            nextSequence: Sequence(100), horizon: horizon, resolution: .tenMinutes, now: Self.now)
    }

    private func outcome(
        _ first: UInt64, accepted: UInt32, discarded: UInt32 = 0, isRepeat: Bool = false
    ) -> AppendOutcome {
        AppendOutcome(stored(first, accepted, discarded), isRepeat: isRepeat)
    }

    private func stored(_ first: UInt64, _ accepted: UInt32, _ discarded: UInt32 = 0) -> DeliveryOutcome {
        DeliveryOutcome(
            firstSequence: Sequence(first), accepted: accepted, discarded: discarded, time: Self.flooredNow)
    }

    // MARK: - Blocks and sequences

    @Test("small batches share a block, in the order in which they waited, with consecutive sequences")
    func packing() throws {
        let plan = plan([TestBatch(1, buckets: [3, 1]), TestBatch(3, buckets: [2]), TestBatch(4, buckets: [1, 1, 5])])
        #expect(plan.blocks.map(\.firstSequence.value) == [100])
        #expect(plan.blocks[0].content.runs.map(\.lines) == [3, 1, 1, 1])
        #expect(plan.nextSequence == Sequence(106) && plan.blockCount == 1)
        let answers = try plan.answers.map { try $0.get() }
        #expect(answers == [outcome(100, accepted: 2), outcome(102, accepted: 1), outcome(103, accepted: 3)])
    }

    @Test("a large batch has blocks of its own, behind the small ones")
    func largeBatches() throws {
        let large = TestBatch(1, buckets: [2, 1], padding: Bounds.ownBlockBytes / 2)
        let huge = TestBatch(5, buckets: [1, 2, 3], padding: LineBatch.blockTarget * 2 / 3)
        let plan = plan([large, TestBatch(3, buckets: [4]), huge, TestBatch(8, buckets: [3])])
        #expect(plan.blocks.map(\.content.lines) == [2, 2, 1, 1, 1])
        #expect(plan.blocks.map(\.firstSequence.value) == [100, 102, 104, 105, 106])
        let answers = try plan.answers.map { try $0.get() }
        #expect(answers.map(\.firstSequence.value) == [102, 100, 104, 101])
        #expect(answers.map(\.accepted) == [2, 1, 3, 1])
        #expect(plan.nextSequence == Sequence(107))
    }

    @Test("an empty batch is answered with what comes next, and nothing is written")
    func empty() throws {
        let plan = plan([TestBatch(1, buckets: [])])
        #expect(plan.isEmpty && plan.blockCount == 0 && plan.nextSequence == Sequence(100))
        #expect(try plan.answers[0].get() == outcome(100, accepted: 0))
    }

    @Test("a delivery without events is remembered: one block, without lines")
    func deliveryOnly() throws {
        let plan = plan([TestBatch(1, buckets: [], key: 1)])
        #expect(!plan.isEmpty && plan.blockCount == 1 && plan.blocks.isEmpty)
        #expect(plan.keyed.map(\.outcome) == [stored(100, 0)])
    }

    // MARK: - The horizon

    @Test("events before the horizon are discarded, counted, and not stored", arguments: [0, Bounds.ownBlockBytes])
    func horizon(padding: Int) throws {
        let batches = [
            TestBatch(1, buckets: [5, 2, 3, 2], padding: padding), TestBatch(5, buckets: [0, 1], padding: padding),
            TestBatch(7, buckets: [3], padding: padding),
        ]
        let plan = plan(batches, horizon: .ofTest(3))
        let answers = try plan.answers.map { try $0.get() }
        let expected = [
            outcome(100, accepted: 2, discarded: 2), outcome(102, accepted: 0, discarded: 2),
            outcome(102, accepted: 1),
        ]
        #expect(answers == expected)
        #expect(plan.blocks.flatMap(\.content.runs).allSatisfy { $0.bucket >= .ofTest(3) })
        #expect(plan.blocks.reduce(0) { $0 + $1.content.lines } == 3 && plan.nextSequence == Sequence(103))
    }

    @Test("a delivery that is discarded as a whole is remembered with its answer")
    func discardedDelivery() throws {
        let batch = TestBatch(1, buckets: [0, 1, 1], key: 1)
        let plan = plan([batch], horizon: .ofTest(2))
        #expect(plan.blocks.isEmpty && plan.blockCount == 1)
        #expect(plan.keyed.map(\.outcome) == [stored(100, 0, 3)])
        #expect(try plan.answers[0].get() == outcome(100, accepted: 0, discarded: 3))
    }

    // MARK: - Deliveries

    @Test("what memory knows is answered from it, and nothing is written")
    func known() throws {
        var memory = DeliveryMemory(resolution: .tenMinutes)
        let batch = TestBatch(1, buckets: [1, 2], key: 1)
        for delivery in plan([batch]).keyed { memory.remember(delivery) }
        memory.remember(SourceDelivery(source: Self.source, number: 7, outcome: stored(50, 4)))
        let ofSource = (6...7).map { TestBatch(9, [], delivery: .source(Self.source, number: $0)) }
        let plan = plan([batch, TestBatch(3, buckets: [3], key: 1)] + ofSource, after: memory)
        #expect(plan.isEmpty && plan.nextSequence == Sequence(100))
        #expect(try plan.answers[0].get() == outcome(100, accepted: 2, isRepeat: true))
        expectCode(.deliveryConflict) { () throws(StoreError) in _ = try plan.answers[1].get() }
        #expect(try plan.answers[2].get() == outcome(50, accepted: 0, isRepeat: true))
        #expect(try plan.answers[3].get() == outcome(50, accepted: 4, isRepeat: true))
    }

    @Test("a repeat inside a commit gets the answer of the first, be it large, small or discarded in part")
    func repeats() throws {
        let small = TestBatch(1, buckets: [1, 3, 0], key: 1)
        let large = TestBatch(10, buckets: [2, 3], padding: Bounds.ownBlockBytes, key: 2)
        let sourced = TestBatch(20, [TestEvent(20, bucket: .ofTest(2))], delivery: .source(Self.source, number: 1))
        let plan = plan([large, small, sourced, small, large, sourced, small], horizon: .ofTest(1))
        let answers = try plan.answers.map { try $0.get() }
        let firsts = [
            outcome(103, accepted: 2), outcome(100, accepted: 2, discarded: 1), outcome(102, accepted: 1),
        ]
        #expect(Array(answers[..<3]) == firsts)
        let repeated = [firsts[1], firsts[0], firsts[2], firsts[1]].map { first in
            var again = first
            again.isRepeat = true
            return again
        }
        #expect(Array(answers[3...]) == repeated)
        #expect(plan.nextSequence == Sequence(105) && plan.keyed.count == 2 && plan.sourced.count == 1)
    }

    @Test("of several batches under one key the first is stored, the others are conflicts, a true repeat is none")
    func conflicts() throws {
        let first = TestBatch(1, buckets: [1], key: 1)
        let plan = plan([first, TestBatch(2, buckets: [2], key: 1), first, TestBatch(3, buckets: [1], key: 2)])
        #expect(try plan.answers[0].get() == outcome(100, accepted: 1))
        expectCode(.deliveryConflict) { () throws(StoreError) in _ = try plan.answers[1].get() }
        #expect(try plan.answers[2].get() == outcome(100, accepted: 1, isRepeat: true))
        #expect(try plan.answers[3].get() == outcome(101, accepted: 1))
        #expect(plan.keyed.map(\.key.low) == [1, 2])
    }

    @Test("the time of an outcome is floored to the resolution")
    func flooredTime() {
        #expect(plan([TestBatch(1, buckets: [1], key: 1)]).keyed.map(\.outcome.time) == [Self.flooredNow])
    }

    @Test(
        "a key is remembered for 24 hours at any resolution",
        arguments: [1, 600_000, 43_200_000, 86_400_000] as [UInt64])
    func keyMemory(_ resolution: UInt64) throws {
        let resolution = try #require(Resolution(milliseconds: resolution))
        let batch = TestBatch(10, buckets: [1], key: 1)
        let now: UInt64 = 1_795_046_399_000
        let plan = CommitPlan(
            [PendingAppend(batch.lines, delivery: batch.delivery)], after: DeliveryMemory(resolution: resolution),
            nextSequence: .first, horizon: .earliest, resolution: resolution, now: now)
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
