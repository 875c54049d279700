import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("A store of user metadata against dictionaries")
struct UserStoreModelTests {
    @Test(
        "views and pages are what the calls told, through crashes, checkpoints, purges, damage and erasures",
        arguments: 1...8 as ClosedRange<UInt64>)
    func model(seed: UInt64) async throws {
        let test = try await TestStore(seed: seed)
        var random = SeededRandom(seed: seed)
        var source = RandomEntries(random: SeededRandom(seed: seed + 100))
        for step in 0..<120 {
            switch random.next() % 20 {
            case 0: try await test.reopen()
            case 1: try await test.reopen(crashing: true)
            case 2, 3: try await test.compact()
            case 4: try await test.erase(["ann", "bob", "cid"][Int(random.next() % 3)])
            case 5, 6: try await test.store.checkpoint()
            case 7: try await test.purge(hours: 100 + random.next() % 100)
            case 8: try await damageNewest(test, crashing: random.oneIn(2))
            case 9...12: try await test.set(source.login())
            default: try await test.add((0...random.next() % 4).map { _ in source.entry() })
            }
            #expect(test.views == test.expected, "seed \(seed), step \(step)")
        }
        for name in ["ann", "bob", "cid", "dora"] {
            #expect(try test.lines(of: name) == test.expectedLines(of: name))
        }
        try await test.store.close()
    }

    /// The older one is as good, with the events behind it.
    private func damageNewest(_ test: TestStore, crashing: Bool) async throws {
        try await test.reopen()
        for stream in [StreamName.logins, .lastLogins] {
            let paths = test.checkpoints(stream)
            if paths.count == 2 { test.disk.flipBit(paths[1], 1_000) }
        }
        try await test.reopen(on: test.disk.processCrash())
        #expect(test.store.notes.count <= 2)
        try await test.reopen(crashing: crashing)
    }
}
