import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("A store of user metadata")
struct UserStoreTests {
    @Test("a delivery that comes again is folded in once")
    func repeated() async throws {
        let test = try await TestStore()
        let delivery = Delivery.key(Hash128(low: 1, high: 2), fingerprint: Hash128(low: 3, high: 4))
        for _ in 0..<3 { try await test.store.add([LogEntry("ann", device: "d", at: testNow)], delivery: delivery) }
        let devices = test.store.devices.read { $0.devices(of: utf8("ann")) }
        #expect(devices.map(\.count) == [1])
        try await test.store.close()
    }

    @Test("where the log discards some of a batch the view does without them")
    func discarded() {
        let entries = [3, 1, 2, 1].map { LogEntry("ann", device: "d", at: $0) }
        #expect(LiveView<DeviceView>.earliest(of: entries, discarding: 0) == .earliest)
        #expect(LiveView<DeviceView>.earliest(of: entries, discarding: 2) == Bucket(milliseconds: 2))
        #expect(LiveView<DeviceView>.earliest(of: entries, discarding: 3) == Bucket(milliseconds: 3))
    }

    @Test("the first question of the logs of a user opens no file")
    func opened() async throws {
        let test = try await TestStore()
        for day in UInt64(0)..<5 {
            try await test.add([LogEntry("ann", device: "d", at: testNow - day * 86_400_000)])
        }
        try await test.compact()
        try await test.reopen()
        let opens = test.disk.calls(of: .open)
        #expect(try test.lines(of: "ann").count == 5)
        #expect(test.disk.calls(of: .open) == opens)
        try await test.store.close()
    }

    @Test("a login that says nothing new is not written")
    func idempotent() async throws {
        let test = try await TestStore()
        let login = LastLogin(bucket: Bucket(milliseconds: testNow), username: utf8("ann"), service: utf8("web"))
        for _ in 0..<3 { try await test.set(login) }
        try await test.set(LastLogin(bucket: .earliest, username: utf8("ann"), service: utf8("web")))
        #expect(test.store.lastLogins.snapshot().lastSequence == Sequence(1))
        try await test.store.close()
    }

    @Test("compaction leaves one line for a user and a service")
    func folded() async throws {
        let test = try await TestStore()
        for day in UInt64(1)...20 {
            let bucket = Bucket(milliseconds: testNow - (40 - day) * 86_400_000)
            try await test.set(LastLogin(bucket: bucket, username: utf8("ann"), service: utf8("web")))
            if day % 5 == 0 { try await test.compact() }
        }
        try await test.compact()
        #expect(try test.store.lastLogins.snapshot().count().events <= 2)
        try await test.reopen()
        #expect(test.views.last == test.expected.last)
        try await test.store.close()
    }

    @Test("an erased user is seen by no call, comes back afresh, and is nowhere on the disk after a compaction")
    func erased() async throws {
        let test = try await TestStore()
        let name = "unmistakable-name"
        try await test.add([LogEntry(name, device: "d", at: testNow), LogEntry("bob", device: "d", at: testNow)])
        try await test.set(
            LastLogin(bucket: Bucket(milliseconds: testNow), username: utf8(name), service: utf8("web")))
        #expect(try test.logs(of: name) != test.logs(of: "nobody"))
        try await test.erase(name)
        #expect(test.views == test.expected)
        #expect(try test.logs(of: name) == test.logs(of: "nobody"))
        try await test.add([LogEntry(name, device: "e", at: testNow)])
        #expect(test.views == test.expected)
        try await test.erase(name)
        try await test.compact()
        try await test.reopen()
        #expect(test.views == test.expected)
        let all = try Scan(test.store.logins.snapshot(), ScanRequest())
        while let chunk = try all.next() {
            chunk.forEachLine { line, _ in #expect(!Array(line).holds(utf8(name))) }
        }
        #expect(try test.files(with: name).isEmpty)
        try await test.store.close()
    }

    @Test("an erasure leaves a receipt without the name")
    func receipt() async throws {
        let test = try await TestStore()
        try await test.erase("ann")
        try await test.store.close()
        let records = try test.auditRecords()
        var subject = JSONWriter()
        subject.hash(testKey.user(utf8("ann")))
        #expect(
            records == [
                #"{"timestamp":\#(testNow),"type":"erase","streams":["logins","last-logins"],"#
                    + #""subject":\#(text(subject.bytes))}"#
            ])
    }

    @Test("a purge of either stream goes on record though the receipt of an erasure keeps the trail open")
    func trailOfBoth() async throws {
        let test = try await TestStore()
        let old = testNow - 200 * 3_600_000
        try await test.add([LogEntry("ann", device: "d", at: old)])
        try await test.set(
            LastLogin(bucket: Bucket(milliseconds: old), username: utf8("ann"), service: utf8("imap")))
        try await test.erase("bob")
        #expect(try await test.purge(hours: 100).map(\.plan.events) == [1, 1])
        try await test.erase("cid")
        try await test.store.close()
        let types = try test.auditRecords().map { $0.contains(#""type":"purge""#) ? "purge" : "erase" }
        #expect(types == ["erase", "purge", "purge", "erase"])
    }

    @Test(
        "an answer about unused accounts goes on record by the names that it gave",
        arguments: [(#"{"usernames":["ann","bob","cid"],"days":1}"#, 2), (#"{"days":1}"#, 1)])
    func unusedCount(body: String, accounts: Int) async throws {
        let test = try await TestStore()
        for (name, age) in [("ann", UInt64(0)), ("dora", 48)] {
            let bucket = Bucket(milliseconds: testNow - age * 3_600_000)
            try await test.set(LastLogin(bucket: bucket, username: utf8(name), service: utf8("imap")))
        }
        let question = try withBytes(body) { try UnusedAccountsQuestion($0) }
        #expect(test.store.unused(question).accounts == accounts)
        try await test.store.close()
    }
}
