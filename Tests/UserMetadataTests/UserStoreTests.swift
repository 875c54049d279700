import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

/// A store on a disk of its own, and what it has been told.
private final class TestStore {
    static let directory = "/data"
    private(set) var disk = VirtualDisk()
    let environment: TestEnvironment
    private(set) var store: UserStore
    private(set) var entries: [LogEntry] = []
    private(set) var logins: [LastLogin] = []

    init(seed: UInt64 = 1) async throws {
        environment = TestEnvironment(seed: seed)
        environment.clock.set(testNow)
        store = try await UserStore.open(
            Self.directory, options: UserStore.Options(key: testKey), environment: environment.on(disk))
    }

    func add(_ entries: [LogEntry]) async throws {
        try await store.add(entries)
        self.entries += entries
    }

    func set(_ login: LastLogin) async throws {
        try await store.set(login)
        logins.append(login)
    }

    func erase(_ name: String) async throws {
        try await store.erase(utf8(name))
        entries.removeAll { $0.username == utf8(name) }
        logins.removeAll { $0.username == utf8(name) }
    }

    func compact() async throws {
        for log in [store.logins, store.lastLogins] {
            try await log.seal()
            _ = try await log.compact()
        }
    }

    func reopen(crashing: Bool = false) async throws {
        let dead = store
        if crashing { disk = disk.processCrash() } else { try await dead.close() }
        store = try await UserStore.open(
            Self.directory, options: UserStore.Options(key: testKey), environment: environment.on(disk))
        // What its log says of a disk that is gone does not matter.
        if crashing { try? await dead.close() }
    }

    /// Of what it has been told, the views as they must be.
    var expected: (devices: [String], last: [String]) {
        var (devices, last) = (DeviceView(seed: 3), LastLoginView(seed: 3))
        for entry in entries { devices.fold(entry) }
        for login in logins { last.fold(login) }
        return (devices.checkpoint(), last.checkpoint())
    }

    var views: (devices: [String], last: [String]) {
        (store.devices.read { $0.checkpoint() }, store.last.read { $0.checkpoint() })
    }

    func logs(of name: String) throws -> [String] {
        let question = try withBytes(#"{"username":"\#(name)","limit":1000}"#) { try UserLogsQuestion($0) }
        return [text(try store.logs(question).body)]
    }

    /// Every file of the data directory whose name or bytes have `text`.
    func files(with text: String) -> [String] {
        disk.paths.filter { path in
            !path.hasSuffix("/RESERVE") && (disk.contents(path)?.holds(utf8(text)) ?? path.contains(text))
        }
    }
}

@Suite("A store of user metadata")
struct UserStoreTests {
    @Test(
        "views and pages are what the calls told, through crashes, compactions and erasures",
        arguments: [1, 2, 3, 4] as [UInt64])
    func model(seed: UInt64) async throws {
        let test = try await TestStore(seed: seed)
        var random = SeededRandom(seed: seed)
        var source = RandomEntries(random: SeededRandom(seed: seed + 100))
        for _ in 0..<150 {
            switch random.next() % 16 {
            case 0: try await test.reopen()
            case 1: try await test.reopen(crashing: true)
            case 2: try await test.compact()
            case 3: try await test.erase(["ann", "bob", "cid"][Int(random.next() % 3)])
            case 4...8:
                let entry = source.entry()
                try await test.set(
                    LastLogin(
                        bucket: entry.bucket, username: entry.username,
                        service: utf8(["imap", "web"][Int(random.next() % 2)])))
            default: try await test.add((0...random.next() % 4).map { _ in source.entry() })
            }
            let (views, expected) = (test.views, test.expected)
            #expect(views.devices == expected.devices)
            #expect(views.last == expected.last)
        }
        try await test.store.close()
    }

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
        #expect(test.files(with: name).isEmpty)
        try await test.store.close()
    }

    @Test("an erasure leaves a receipt without the name")
    func receipt() async throws {
        let test = try await TestStore()
        try await test.erase("ann")
        try await test.store.close()
        var options = LogOptions()
        options.stream = .audit
        let audit = try EventLog.open(
            TestStore.directory, options: options, environment: test.environment.on(test.disk))
        let scan = try Scan(audit.snapshot(), ScanRequest())
        var records: [String] = []
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in records.append(String(decoding: line, as: UTF8.self)) }
        }
        try await audit.close()
        var subject = JSONWriter()
        subject.hash(testKey.user(utf8("ann")))
        #expect(
            records == [
                #"{"timestamp":\#(testNow),"type":"erase","streams":["logins","last-logins"],"#
                    + #""subject":\#(text(subject.bytes))}"#
            ])
    }

    @Test("a store whose events were purged is refused rather than said to know nobody")
    func purged() async throws {
        let test = try await TestStore()
        try await test.add([LogEntry("ann", device: "d", at: testNow - 400 * 86_400_000)])
        try await test.store.logins.seal()
        try await test.store.logins.setPolicy(RetentionPolicy(maxAgeMilliseconds: 86_400_000))
        _ = try await test.store.logins.purge()
        await #expect {
            try await test.reopen()
        } throws: { error in
            guard case .purged(.logins) = error as? UserStoreFault else { return false }
            return true
        }
    }
}

extension [UInt8] {
    fileprivate func holds(_ text: [UInt8]) -> Bool {
        count >= text.count && (0...count - text.count).contains { self[$0..<$0 + text.count].elementsEqual(text) }
    }
}
