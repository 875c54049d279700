import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("Power loss")
struct PowerLossTests {
    @Test(
        "cut at any operation: what was acknowledged or served is there once, nothing is invented, batches are whole",
        arguments: Scenario.all)
    func everyCut(scenario: Scenario) async {
        let operations = await scenario.forEachCut { cut, stage in
            let harm = await harmOfPowerLoss(stage, cut: cut)
            expectNone(harm, "\(scenario) cut at operation \(cut)", stage.disk)
            return true
        }
        #expect(operations > 50)
    }

    @Test("killed at any operation: what the next process acknowledges or serves outlives the power",
        arguments: Scenario.all)
    func killThenPowerLoss(scenario: Scenario) async {
        await scenario.forEachCut { cut, stage in
            let harm = await harmOfKillThenPowerLoss(stage)
            expectNone(harm, "\(scenario) killed at operation \(cut)", stage.disk)
            return true
        }
    }

    @Test("any sync failed: what the next process acknowledges or serves outlives the power", arguments: Scenario.all)
    func failedSync(scenario: Scenario) async {
        let stages = await failedSyncs(of: scenario)
        #expect(stages.count > 10)
        for (what, stage) in stages {
            expectNone(await harmOfKillThenPowerLoss(stage), "\(scenario) with \(what)", stage.disk)
        }
    }

    @Test("the power goes again while the store recovers: the rules hold as before", arguments: [Scenario.life])
    func cutRecovery(scenario: Scenario) async {
        var stages = await failedSyncs(of: scenario)
        await scenario.forEachCut { cut, stage in
            guard cut % 9 == 0 else { return true }
            var torn = stage
            torn.disk = stage.disk.powerLoss(seed: UInt64(cut), mode: .random)
            stages.append(("the power lost at operation \(cut)", torn))
            return true
        }
        for (what, stage) in stages {
            let harm = await harmOfCutRecovery(stage)
            expectNone(harm, "\(scenario) with \(what)", stage.disk)
        }
    }

    /// States of a scenario in which one of its syncs has failed.
    private func failedSyncs(of scenario: Scenario) async -> [(what: String, stage: Scenario.Stage)] {
        var stages: [(String, Scenario.Stage)] = []
        for call in [DiskCall.sync, .syncDirectory] {
            var number = 1
            while true {
                var stage = Scenario.Stage()
                stage.disk.fail(call, at: number, with: .inputOutput)
                guard await scenario.run(on: &stage) != nil else { break }
                stages.append(("\(call) \(number) failed", stage))
                number += 1
            }
        }
        return stages
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
