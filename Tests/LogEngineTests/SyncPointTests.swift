import LogEngine
import TestSupport
import Testing

// With no sync left out the same checks find nothing: that is `PowerLossTests`.

@Suite("Every sync is needed")
struct SyncPointTests {
    @Test("with one of them left out, a power loss does harm", arguments: SyncPoint.allCases)
    func leftOut(point: SyncPoint) async throws {
        let start = try await Scenario.life.start()
        start.disk.ignoredSyncs = [point]
        var isFound = false
        await Scenario.life.forEachCut(from: start) { cut, stage in
            let harm = await harmOfPowerLoss(stage, cut: cut)
            isFound = !harm.isEmpty
            if !isFound { isFound = !(await harmOfKillThenPowerLoss(stage)).isEmpty }
            return !isFound
        }
        #expect(isFound, "nobody would notice if the sync \(point) were left out")
    }
}
