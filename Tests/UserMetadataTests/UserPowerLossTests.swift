import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("Power loss under user metadata")
struct UserPowerLossTests {
    @Test("cut at any operation: views and lines are those of what was answered", arguments: UserStory.all)
    func everyCut(story: UserStory) async throws {
        let start = await UserStory.start()
        var cut = 0
        while true {
            cut += 1
            let outcome = await told(story, from: start) { $0.stop(at: cut) }
            for mode in cut % 3 == 0 ? [PowerLossMode.random] : [.dropAll] {
                let lost = outcome.disk.powerLoss(seed: UInt64(cut), mode: mode)
                let harm = await outcome.harm(on: lost)
                #expect(harm == nil, "\(story) cut at operation \(cut), \(mode)\n\(outcome.disk.history())")
            }
            guard outcome.disk.isStopped else { break }
        }
        #expect(cut > 60)
    }

    @Test("a call that fails, whichever, takes nothing that was answered", arguments: UserStory.all)
    func everyFault(story: UserStory) async throws {
        let start = await UserStory.start()
        let faults: [(DiskCall, DiskFault)] = [
            (.write, .inputOutput), (.write, .noSpace), (.sync, .inputOutput), (.rename, .inputOutput),
            (.remove, .inputOutput), (.syncDirectory, .inputOutput),
        ]
        for (call, fault) in faults {
            var number = 0
            while true {
                number += 1
                let outcome = await told(story, from: start) { $0.fail(call, at: number, with: fault) }
                guard outcome.disk.faultsStruck > 0 else { break }
                let harm = await outcome.harm(on: outcome.disk.processCrash())
                #expect(harm == nil, "\(story), \(fault) at \(call) \(number)\n\(outcome.disk.history())")
            }
            #expect(number > 1, "\(story) makes no \(call)")
        }
    }

    @Test("the syncs of a checkpoint are needed", arguments: [SyncPoint.checkpoint, .checkpointDirectory])
    func syncs(point: SyncPoint) async throws {
        var outcome = UserStory.Outcome(disk: VirtualDisk(), environment: TestEnvironment())
        outcome.environment.clock.set(testNow)
        outcome.disk.ignoredSyncs = [point]
        await UserStory.firstPurge.run(on: &outcome)
        #expect(outcome.pending == nil)
        let lost = outcome.disk.powerLoss(seed: 0, mode: .dropAll)
        #expect(await outcome.harm(on: lost)?.contains("events were purged") == true)
    }

    /// Of a story on a copy of the disk of its start.
    private func told(
        _ story: UserStory, from start: UserStory.Outcome, _ plan: (VirtualDisk) -> Void
    ) async -> UserStory.Outcome {
        var outcome = start
        outcome.disk = start.disk.copy()
        plan(outcome.disk)
        await story.run(on: &outcome)
        return outcome
    }
}
