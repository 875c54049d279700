import LogEngine
import TestSupport
import Testing

/// One way to lose power.
struct PowerLoss: Sendable, CustomStringConvertible {
    let mode: PowerLossMode
    let seed: UInt64

    /// The ways that are tried at a cut; each cut has its own seeds. `keepAll` leaves what the next
    /// process finds after a kill, which is looked at on every cut too, so now and then is enough.
    static func all(at cut: Int) -> [PowerLoss] {
        let seed = UInt64(cut)
        return [
            PowerLoss(mode: .dropAll, seed: 0), PowerLoss(mode: .random, seed: seed),
            PowerLoss(mode: .random, seed: seed + 1_000),
        ] + (cut % 4 == 0 ? [PowerLoss(mode: .keepAll, seed: 0)] : [])
    }

    func of(_ disk: VirtualDisk) -> VirtualDisk { disk.powerLoss(seed: seed, mode: mode) }

    var description: String { "power lost with \(mode), seed \(seed)" }
}

/// What a power loss at this moment does wrong, in all the ways that are tried.
func harmOfPowerLoss(_ stage: Scenario.Stage, cut: Int) async -> [String] {
    var found: [String] = []
    for loss in PowerLoss.all(at: cut) {
        let harm = await examine(loss.of(stage.disk), stage.ledger, stage.environment)
        found += harm.map { "\(loss): \($0)" }
    }
    return found
}

/// The process is killed; the next one reads everything and repeats every delivery; then the power
/// goes, with all that was not synced. What the second process was given or answered must outlive it.
func harmOfKillThenPowerLoss(_ stage: Scenario.Stage) async -> [String] {
    var stage = stage
    stage.disk = stage.disk.processCrash()
    stage.disk.clearFaults()
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

func expectNone(
    _ harm: [String], _ what: String, _ disk: VirtualDisk, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard !harm.isEmpty else { return }
    Issue.record(
        "\(what):\n  \(harm.joined(separator: "\n  "))\nafter:\n\(disk.history())", sourceLocation: sourceLocation)
}
