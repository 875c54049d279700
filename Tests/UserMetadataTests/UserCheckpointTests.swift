import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("Checkpoints of a store of user metadata")
struct UserCheckpointTests {
    private static let day: UInt64 = 86_400_000

    /// Events of three times, each followed by a checkpoint of both views.
    private func store(checkpoints: Int) async throws -> TestStore {
        let test = try await TestStore()
        for index in 0..<checkpoints {
            let bucket = testNow - UInt64(30 - index) * Self.day
            try await test.add([
                LogEntry("ann", device: "d\(index)", at: bucket), LogEntry("bob", device: "d", at: bucket),
            ])
            try await test.set(
                LastLogin(bucket: Bucket(milliseconds: bucket), username: utf8("ann"), service: utf8("s\(index)")))
            try await test.store.checkpoint()
        }
        return test
    }

    private func refusal(_ test: TestStore, on disk: VirtualDisk) async -> UserStoreFault? {
        do {
            try await test.reopen(on: disk)
            return nil
        } catch { return error as? UserStoreFault }
    }

    @Test("the two newest stay, and one in which nothing would be new is not written")
    func generations() async throws {
        let test = try await store(checkpoints: 3)
        let paths = test.checkpoints(.logins)
        #expect(paths.map { $0.suffix(12) } == ["2.ndjson.zst", "3.ndjson.zst"])
        try await test.store.checkpoint()
        try await test.reopen()
        #expect(test.checkpoints(.logins) == paths)
        try await test.store.close()
        #expect(test.checkpoints(.logins) == paths)
    }

    @Test("a clean shutdown writes them, and the next start reads no event")
    func shutdown() async throws {
        let test = try await store(checkpoints: 0)
        try await test.add([LogEntry("ann", device: "d", at: testNow)])
        try await test.reopen()
        let reads = test.disk.calls(of: .read)
        // A segment that is not read may be damaged.
        for path in test.paths(.logins, "hot") where (test.disk.contents(path)?.count ?? 0) > 400 {
            test.disk.flipBit(path, 8 * 250)
        }
        try await test.reopen(crashing: true)
        #expect(test.views == test.expected && reads > 0)
        try await test.store.close()
    }

    @Test("one that is deleted before any purge comes back line by line", arguments: [1, 2])
    func deleted(count: Int) async throws {
        let test = try await store(checkpoints: 3)
        let lines = try test.checkpoints(.logins).map { try test.lines(in: $0) }
        try await test.store.close()
        let disk = test.disk.processCrash()
        for path in test.checkpoints(.logins).suffix(count) { try disk.remove(path) }
        try await test.reopen(on: disk)
        #expect(test.store.notes.count == count)
        #expect(test.views == test.expected)
        try await test.store.logins.checkpoint()
        try await test.store.close()
        #expect(try test.checkpoints(.logins).last.map { try test.lines(in: $0) } == lines.last)
    }

    @Test("after a purge either of two is enough, with the events behind it; without both the store is refused")
    func primary() async throws {
        let test = try await store(checkpoints: 3)
        let reports = try await test.purge(hours: 29 * 24)
        #expect(reports.allSatisfy { $0.heldBack == nil && $0.plan.events > 0 })
        try await test.add([LogEntry("cid", device: "d", at: testNow)])
        try await test.compact()
        let whole = test.disk.processCrash()
        for stream in [StreamName.logins, .lastLogins] {
            let paths = test.checkpoints(stream)
            #expect(paths.count == 2)
            for path in paths {
                let disk = whole.copy()
                disk.flipBit(path, 800)
                try await test.reopen(on: disk)
                #expect(test.views == test.expected)
                #expect(test.store.notes.isEmpty == (path == paths[0]))
            }
            let disk = whole.copy()
            disk.flipBit(paths[0], 800)
            try disk.remove(paths[1])
            guard case .lost(stream, let reasons) = await refusal(test, on: disk) else {
                Issue.record("the store is served though nobody knows what was in it")
                continue
            }
            #expect(reasons.count == 2)
        }
        try await test.reopen(on: whole)
        try await test.store.close()
    }

    @Test("a purge has two checkpoints hold what goes, and says why it lets stay what they do not")
    func heldBack() async throws {
        let test = try await store(checkpoints: 0)
        try await test.add([LogEntry("ann", device: "d", at: testNow - 30 * Self.day)])
        try await test.store.logins.seal()
        // The last call on a file before its sync.
        test.disk.fail(
            .setModificationTime, at: test.disk.calls(of: .setModificationTime) + 1, with: .inputOutput)
        let held = try await test.purge(hours: 24)[0]
        #expect(held.heldBack?.contains("no checkpoint") == true && held.plan.segments.isEmpty)
        #expect(test.store.logins.horizon == .earliest && test.checkpoints(.logins).isEmpty)
        test.disk.clearFaults()
        #expect(try await test.purge(hours: 24)[0].heldBack == nil)
        #expect(test.checkpoints(.logins).count == 2)
        #expect(test.views == test.expected)
        try await test.store.close()
    }

    @Test("rows that a compaction folded and a purge took are known all the same, and are no news")
    func foldedAndPurged() async throws {
        let test = try await store(checkpoints: 0)
        func login(daysAgo day: UInt64) -> LastLogin {
            LastLogin(
                bucket: Bucket(milliseconds: testNow - day * Self.day), username: utf8("ann"), service: utf8("web"))
        }
        for day in UInt64(20)...40 {
            try await test.set(login(daysAgo: 60 - day))
            if day % 5 == 0 { try await test.compact() }
        }
        try await test.compact()
        #expect(try test.store.lastLogins.snapshot().count().events <= 2)
        #expect(try await test.purge(hours: 24)[1].plan.events > 0)
        #expect(try test.store.lastLogins.snapshot().count().events == 0)
        try await test.reopen(crashing: true)
        #expect(test.views == test.expected)
        #expect(try await test.store.set(login(daysAgo: 30)) == nil)
        try await test.set(login(daysAgo: 0))
        try await test.compact()
        try await test.reopen()
        #expect(test.views == test.expected)
        #expect(try test.store.lastLogins.snapshot().count().events == 1)
        try await test.store.close()
    }

    @Test("a compaction does not mix what a checkpoint has with what it has not")
    func stretches() async throws {
        let test = try await store(checkpoints: 2)
        try await test.add([LogEntry("bob", device: "d", at: testNow - 29 * Self.day)])
        try await test.compact()
        try await test.compact()
        let disk = test.disk.processCrash()
        disk.flipBit(test.checkpoints(.logins)[1], 800)
        try await test.reopen(on: disk)
        #expect(test.store.notes.count == 1)
        #expect(test.views == test.expected)
        try await test.store.close()
    }

    @Test("a manifest that repair makes has the checkpoints that are there")
    func repaired() async throws {
        let test = try await store(checkpoints: 3)
        try await test.purge(hours: 29 * 24)
        try await test.store.close()
        let disk = test.disk.processCrash()
        for slot in 0...1 { try disk.remove("/data/logins/MANIFEST.\(slot)") }
        var options = LogOptions()
        options.stream = .logins
        _ = try StoreReader.repair("/data", options: options, environment: test.environment.on(disk))
        try await test.reopen(on: disk)
        #expect(test.views == test.expected && test.store.notes.isEmpty)
        try await test.store.close()
    }

    @Test("with another key nothing is opened")
    func otherKey() async throws {
        let test = try await store(checkpoints: 1)
        try await test.store.close()
        let options = UserStore.Options(key: StoreKey(Array(1...32)))
        await #expect {
            _ = try await UserStore.open("/data", options: options, environment: test.environment.on(test.disk))
        } throws: { error in
            guard case .otherKey(.logins) = error as? UserStoreFault else { return false }
            return true
        }
    }

    @Test("verify reads checkpoints")
    func verified() async throws {
        let test = try await store(checkpoints: 1)
        var options = LogOptions()
        options.stream = .logins
        func faults(_ disk: VirtualDisk) throws -> Int {
            try StoreReader.verify("/data", options: options, environment: test.environment.on(disk)) { _ in }.faults
                .count
        }
        let disk = test.disk.copy()
        #expect(try faults(disk) == 0)
        disk.flipBit(test.checkpoints(.logins)[0], 800)
        #expect(try faults(disk) == 1)
        try await test.store.close()
    }
}
