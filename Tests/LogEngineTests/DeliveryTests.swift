import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("A delivery that comes again")
struct DeliveryTests {
    private let batch = TestBatch(100, buckets: [3, 1, 2], key: 1)
    private let stage = Scenario.Stage()

    private func open(_ disk: VirtualDisk) throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: stage.environment.on(disk))
    }

    @Test("gets its first answer after seal, kill and reopening")
    func afterSealAndKill() async throws {
        let log = try open(stage.disk)
        let first = try await log.append(batch.lines, delivery: batch.delivery)
        #expect(!first.isRepeat)
        try await log.seal()
        let next = try open(stage.disk.processCrash())
        var expected = first
        expected.isRepeat = true
        #expect(try await next.append(batch.lines, delivery: batch.delivery) == expected)
        #expect(try readAll(next.snapshot()).events.count == 3)
        try? await log.close()
        try await next.close()
    }

    @Test("is stored once while the first is still in flight, and both get the same answer")
    func inFlight() async throws {
        let log = try open(stage.disk)
        for round in 0..<20 {
            let batch = TestBatch(1_000 + 10 * round, buckets: [1, 0, 2], key: 1_000 + round)
            let outcomes = try await withThrowingTaskGroup(of: AppendOutcome.self) { group in
                for _ in 0..<4 { group.addTask { try await log.append(batch.lines, delivery: batch.delivery) } }
                var all: [AppendOutcome] = []
                for try await outcome in group { all.append(outcome) }
                return all
            }
            #expect(Set(outcomes.map(\.firstSequence)).count == 1)
            #expect(outcomes.allSatisfy { $0.accepted == 3 && $0.discarded == 0 })
            #expect(outcomes.count { !$0.isRepeat } == 1)
            #expect(log.snapshot().lastSequence.value == UInt64(3 * (round + 1)))
        }
        #expect(try readAll(log.snapshot()).events.count == 60)
        try await log.close()
    }

    @Test("with another body is a conflict, queued or stored or recovered")
    func conflict() async throws {
        let other = TestBatch(200, buckets: [1], key: 1)
        var log = try open(stage.disk)
        _ = try await log.append(batch.lines, delivery: batch.delivery)
        try await expectConflict(other, log)
        log = try open(stage.disk.processCrash())
        try await expectConflict(other, log)
        try await log.seal()
        try await expectConflict(other, log)
        #expect(try readAll(log.snapshot()).events.count == 3)
        try await log.close()
    }

    @Test("of two bodies with one key in flight one is stored, the other is a conflict")
    func conflictInFlight() async throws {
        let log = try open(stage.disk)
        for round in 0..<20 {
            let batches = (0..<2).map { TestBatch(10 * round + $0, buckets: [$0], key: round) }
            let answers = await withTaskGroup(of: StoreError.Code?.self) { group in
                for batch in batches {
                    group.addTask {
                        do throws(StoreError) {
                            _ = try await log.append(batch.lines, delivery: batch.delivery)
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers) == [nil, .deliveryConflict])
        }
        #expect(try readAll(log.snapshot()).events.count == 20)
        try await log.close()
    }

    @Test("from a source, of the last number or an earlier one, is not stored again")
    func source() async throws {
        let log = try open(stage.disk)
        let source = SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3)
        var answers: [AppendOutcome] = []
        for number: UInt64 in [1, 2] {
            answers.append(try await log.append(batch.lines, delivery: .source(source, number: number)))
        }
        #expect(answers.allSatisfy { !$0.isRepeat })
        let last = try await log.append(batch.lines, delivery: .source(source, number: 2))
        #expect(last.isRepeat && last.firstSequence == answers[1].firstSequence && last.accepted == 3)
        let earlier = try await log.append(batch.lines, delivery: .source(source, number: 1))
        #expect(earlier.isRepeat)
        let nextEpoch = SourceEpoch(source: source.source, epoch: 4)
        #expect(!(try await log.append(batch.lines, delivery: .source(nextEpoch, number: 1))).isRepeat)
        #expect(try readAll(log.snapshot()).events.count == 9)
        try await log.close()
    }

    private func expectConflict(_ batch: TestBatch, _ log: EventLog) async throws {
        await #expect {
            try await log.append(batch.lines, delivery: batch.delivery)
        } throws: {
            ($0 as? StoreError)?.code == .deliveryConflict
        }
    }
}
