import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("Power loss")
struct PowerLossTests {
    @Test(
        "cut at any operation: what was acknowledged or served is there once, nothing is invented, batches are whole",
        arguments: Scenario.all)
    func everyCut(scenario: Scenario) async throws {
        let operations = await scenario.forEachCut(from: try await scenario.start()) { cut, stage in
            let harm = await harmOfPowerLoss(stage, cut: cut)
            expectNone(harm, "\(scenario) cut at operation \(cut)", stage.disk)
            return true
        }
        #expect(operations > 30)
    }

    @Test(
        "killed at any operation: what the next process acknowledges or serves outlives the power",
        arguments: Scenario.all)
    func killThenPowerLoss(scenario: Scenario) async throws {
        await scenario.forEachCut(from: try await scenario.start()) { cut, stage in
            let harm = await harmOfKillThenPowerLoss(stage)
            expectNone(harm, "\(scenario) killed at operation \(cut)", stage.disk)
            return true
        }
    }

    @Test("any sync failed: what the next process acknowledges or serves outlives the power", arguments: Scenario.all)
    func failedSync(scenario: Scenario) async throws {
        let stages = try await failedSyncs(of: scenario)
        #expect(stages.count > 10)
        for (what, stage) in stages {
            expectNone(await harmOfKillThenPowerLoss(stage), "\(scenario) with \(what)", stage.disk)
        }
    }

    /// States of a scenario in which one of its syncs has failed.
    private func failedSyncs(of scenario: Scenario) async throws -> [(what: String, stage: Scenario.Stage)] {
        let start = try await scenario.start()
        var stages: [(String, Scenario.Stage)] = []
        for call in [DiskCall.sync, .syncDirectory] {
            var number = 1
            while true {
                var stage = start
                stage.disk = start.disk.copy()
                stage.disk.fail(call, at: number, with: .inputOutput)
                guard await scenario.run(on: &stage) != nil else { break }
                stages.append(("\(call) \(number) failed", stage))
                number += 1
            }
        }
        return stages
    }

    @Test("the power goes again while the store recovers: the rules hold as before")
    func cutRecovery() async throws {
        var stages = try await failedSyncs(of: .life).enumerated().filter { $0.offset % 5 == 2 }.map(\.element)
        await Scenario.life.forEachCut(from: try await Scenario.life.start()) { cut, stage in
            guard cut % 23 == 0 else { return true }
            var torn = stage
            torn.disk = stage.disk.powerLoss(seed: UInt64(cut), mode: .random)
            stages.append(("the power lost at operation \(cut)", torn))
            return true
        }
        for (what, stage) in stages {
            let harm = await harmOfCutRecovery(stage)
            expectNone(harm, "recovery with \(what)", stage.disk)
        }
    }

    /// Opens the store and sends a batch, cut at every operation, each time from the same state.
    private func harmOfCutRecovery(_ start: Scenario.Stage) async -> [String] {
        let recovery = Scenario("recovery") { stage throws(StoreError) in
            try await stage.open { log, stage throws(StoreError) in
                try stage.read(log)
                try await stage.append(TestBatch(900, buckets: [1, 8], key: 9), to: log)
            }
        }
        var found: [String] = []
        await recovery.forEachCut(from: start) { cut, stage in
            for mode in [PowerLossMode.dropAll, .random] {
                let lost = stage.disk.powerLoss(seed: UInt64(cut), mode: mode)
                let harm = await examine(lost, stage.ledger, stage.environment)
                found += harm.map { "cut again at operation \(cut), \(mode): \($0)" }
            }
            return true
        }
        return found
    }
}
