import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("Power loss")
struct PowerLossTests {
    @Test("cut at any operation, nothing acknowledged or served is lost, nothing is invented, batches are whole",
        arguments: Scenario.all)
    func everyCut(scenario: Scenario) async {
        var cut = 1
        while let stage = await scenario.run(cutAt: cut) {
            for loss in PowerLoss.all {
                let found = await examine(loss.of(stage.disk), stage.ledger, stage.environment)
                expectNone(found, "\(scenario) cut at operation \(cut), \(loss)", stage.disk)
            }
            cut += 1
        }
        #expect(cut > 50, "the scenario is cut at every operation")
    }

    @Test("killed at any operation: what the next process acknowledges or serves outlives the power",
        arguments: Scenario.all)
    func killThenPowerLoss(scenario: Scenario) async {
        var cut = 1
        while let stage = await scenario.run(cutAt: cut) {
            var next = stage
            next.disk = stage.disk.processCrash()
            next.disk.clearFaults()
            let found = await goOnThenLosePower(&next)
            expectNone(found, "\(scenario) killed at operation \(cut)", next.disk)
            cut += 1
        }
    }

    @Test("a failed sync poisons; what the next process acknowledges or serves outlives the power",
        arguments: Scenario.all)
    func failedSync(scenario: Scenario) async {
        var number = 1
        while true {
            var stage = Scenario.Stage()
            stage.disk.fail(.sync, at: number, with: .inputOutput)
            guard await scenario.run(on: &stage) != nil else { break }
            #expect(stage.disk.faultsStruck == 1)
            stage.disk = stage.disk.processCrash()
            let found = await goOnThenLosePower(&stage)
            expectNone(found, "\(scenario) with sync \(number) failed", stage.disk)
            number += 1
        }
        #expect(number > 10)
    }
}

/// One way to lose power.
struct PowerLoss: CustomStringConvertible, Sendable {
    let mode: PowerLossMode
    let seed: UInt64

    static let all =
        [PowerLoss(mode: .keepAll, seed: 0), PowerLoss(mode: .dropAll, seed: 0)]
        + (1...3).map { PowerLoss(mode: .random, seed: $0) }

    func of(_ disk: VirtualDisk) -> VirtualDisk { disk.powerLoss(seed: seed, mode: mode) }

    var description: String { "power lost with \(mode), seed \(seed)" }
}

func expectNone(
    _ violations: [String], _ what: String, _ disk: VirtualDisk, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard !violations.isEmpty else { return }
    let list = violations.joined(separator: "\n  ")
    Issue.record("\(what):\n  \(list)\nafter:\n\(disk.history())", sourceLocation: sourceLocation)
}

/// The next process reads everything and repeats every delivery; then the power goes, with all that
/// was not synced.
func goOnThenLosePower(_ stage: inout Scenario.Stage) async -> [String] {
    var found: [String] = []
    do throws(StoreError) {
        try await stage.openAndCrash { log, stage throws(StoreError) in
            let events = try readAll(log.snapshot(), ScanRequest(order: .arrival)).events
            found += stage.ledger.violations(of: events)
            stage.ledger.wasServed(events)
            found += await stage.ledger.repeatDeliveries(to: log, holding: events)
        }
    } catch {
        return ["the next process failed: \(error)"]
    }
    let lost = stage.disk.powerLoss(seed: 0, mode: .dropAll)
    return found + (await examine(lost, stage.ledger, stage.environment)).map { "after the power loss: \($0)" }
}
