import LogEngine
import TestSupport
import Testing

// With no sync left out the same checks find nothing: that is `PowerLossTests`.

@Suite("Every sync is needed")
struct SyncPointTests {
    /// What is not synced of a removal comes back for a while, until the next open: `PurgeTests` look for that.
    /// Private files and notes are no part of a store: those are `PrivateFileTests` and `DurableNoteTests`. Checkpoints
    /// are written of views alone: `UserPowerLossTests`.
    private static let points = SyncPoint.allCases.filter {
        ![.removedSegments, .privateFile, .privateDirectory, .note, .noteDirectory, .checkpoint, .checkpointDirectory]
            .contains($0)
    }

    private static func scenario(of point: SyncPoint) -> Scenario {
        switch point {
        case .coldSegment, .coldDirectory, .coldDayDirectory: .compaction
        default: .life
        }
    }

    @Test("with one of them left out, a power loss does harm", arguments: points)
    func leftOut(point: SyncPoint) async throws {
        let scenario = Self.scenario(of: point)
        let start = try await scenario.start()
        start.disk.ignoredSyncs = [point]
        var isFound = false
        await scenario.forEachCut(from: start) { cut, stage in
            let harm = await harmOfPowerLoss(stage, cut: cut)
            isFound = !harm.isEmpty
            if !isFound { isFound = !(await harmOfKillThenPowerLoss(stage)).isEmpty }
            return !isFound
        }
        #expect(isFound, "nobody would notice if the sync \(point) were left out")
    }
}
