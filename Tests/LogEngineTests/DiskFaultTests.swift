import Glibc
import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("Disk faults at the n-th call")
struct DiskFaultTests {
    @Test("an interrupted call is made again; nobody notices", arguments: DiskCall.allCases.filter { !$0.isSync })
    func interrupted(call: DiskCall) async throws {
        try await forEachCall(call, .interrupted) { stage, failure, what in
            #expect(failure == nil, "\(what)")
            expectNone(await examine(stage.disk, stage.ledger, stage.environment), what, stage.disk)
        }
    }

    @Test("a short read or write is continued; nobody notices", arguments: [DiskCall.read, .write])
    func short(call: DiskCall) async throws {
        try await forEachCall(call, .short) { stage, failure, what in
            #expect(failure == nil, "\(what)")
            expectNone(await examine(stage.disk, stage.ledger, stage.environment), what, stage.disk)
        }
    }

    @Test(
        "a failed call loses nothing acknowledged; the same process can open the store again",
        arguments: DiskCall.allCases)
    func failed(call: DiskCall) async throws {
        try await forEachCall(call, .inputOutput) { stage, _, what in
            let copy = stage.disk.copy()
            expectNone(await examine(stage.disk, stage.ledger, stage.environment), what, stage.disk)
            var next = stage
            next.disk = copy
            expectNone(await harmOfKillThenPowerLoss(next), what, copy)
        }
    }

    @Test("a full disk loses nothing acknowledged, and keeps nothing refused", arguments: DiskCall.allCases)
    func full(call: DiskCall) async throws {
        try await forEachCall(call, .noSpace) { stage, failure, what in
            // Elsewhere than in a write it may end the story, as any failure may.
            if call == .write { #expect(failure == nil, "\(what)") }
            expectNone(await harmOfPowerLoss(stage, cut: 1), what, stage.disk)
            expectNone(await examine(stage.disk, stage.ledger, stage.environment), what, stage.disk)
        }
    }

    private static let scenarios = [Scenario.life, .compaction, .purge]

    /// Tells each story with the first call of a kind failing, with the second, and so on until there is none.
    private func forEachCall(
        _ call: DiskCall, _ fault: DiskFault,
        _ body: (_ stage: Scenario.Stage, _ failure: StoreError?, _ what: String) async -> Void
    ) async throws {
        for scenario in Self.scenarios {
            var number = 1
            while true {
                var stage = try await scenario.start()
                stage.disk.fail(call, at: number, with: fault)
                let failure = await scenario.run(on: &stage)
                guard stage.disk.faultsStruck > 0 else { break }
                let end = failure.map { "ended by \($0)" } ?? "told to its end"
                await body(stage, failure, "\(scenario) with \(fault) at \(call) \(number), \(end)")
                number += 1
            }
        }
    }
}

extension DiskCall {
    fileprivate var isSync: Bool { self == .sync || self == .syncDirectory }
}

@Suite("After a fault")
struct AfterFaultTests {
    private let first = TestBatch(100, buckets: [1, 2], key: 1)
    private let second = TestBatch(200, buckets: [3], key: 2)
    private let third = TestBatch(300, buckets: [2, 4], key: 3)

    /// A log with one batch in it.
    private func open(_ stage: inout Scenario.Stage) async throws -> EventLog {
        let log = try EventLog.open(
            dataDirectory, options: LogOptions(), environment: stage.environment.on(stage.disk))
        try await stage.ledger.append(first, to: log)
        return log
    }

    @Test("a commit that finds the disk full is refused; the log goes on when there is room again")
    func noSpaceOnCommit() async throws {
        var stage = Scenario.Stage()
        let log = try await open(&stage)
        stage.disk.freeBytes = 100
        for _ in 0..<3 {
            let error = await failure { try await stage.ledger.append(second, to: log) }
            #expect(error?.code == .noSpace)
        }
        // The first was met in the write, which nobody had foreseen; then it is known.
        #expect(log.health.failure == nil && log.health.appendsWithoutRoom == 2)
        #expect(try readAll(log.snapshot()).events.count == 2)
        stage.disk.freeBytes = 1 << 30
        let outcome = try await stage.ledger.append(second, to: log)
        #expect(!outcome.isRepeat && outcome.accepted == 1)
        try await log.close()
        expectNone(await harmOfPowerLoss(stage, cut: 1), "full, then not", stage.disk)
    }

    @Test("refused for want of room as the last thing, then closed: the power loss finds a clean store")
    func noSpaceThenClose() async throws {
        var stage = Scenario.Stage()
        let log = try await open(&stage)
        stage.disk.freeBytes = 100
        let error = await failure { try await stage.ledger.append(second, to: log) }
        #expect(error?.code == .noSpace)
        stage.disk.freeBytes = 1 << 30
        try await log.close()
        for seed in 1...8 { expectNone(await harmOfPowerLoss(stage, cut: seed), "seed \(seed)", stage.disk) }
    }

    @Test(
        "a write or sync that fails poisons: appends are refused, reads go on, opening again heals",
        arguments: [
            (DiskCall.write, DiskFault.inputOutput), (.sync, .inputOutput), (.sync, .noSpace), (.sync, .interrupted),
        ])
    func poison(call: DiskCall, fault: DiskFault) async throws {
        var stage = Scenario.Stage()
        let log = try await open(&stage)
        stage.disk.fail(call, at: stage.disk.calls(of: call) + 1, with: fault)
        #expect(await failure { try await stage.ledger.append(second, to: log) } != nil)
        #expect(log.health.failure != nil)
        let refusal = await failure { try await stage.ledger.append(third, to: log) }
        #expect(refusal?.code == .poisoned)
        #expect(await failure { try await log.seal() }?.code == .poisoned)
        #expect(try readAll(log.snapshot(), ScanRequest(order: .arrival)).events.map(\.sequence.value) == [1, 2])
        #expect(await failure { try await log.close() }?.code == .poisoned)
        #expect(await failure { try await stage.ledger.append(third, to: log) }?.code == .closed)
        expectNone(await examine(stage.disk, stage.ledger, stage.environment), "opened again", stage.disk)
    }

    private func failure<Value>(_ call: () async throws -> Value) async -> StoreError? {
        do {
            _ = try await call()
            return nil
        } catch {
            return error as? StoreError
        }
    }
}
