import LogEngine
import SegmentFormat
import TestSupport

@testable import UserMetadata

/// A store on a disk of its own, and what it has been told.
final class TestStore {
    static let directory = "/data"
    private(set) var disk: VirtualDisk
    let environment: TestEnvironment
    private(set) var store: UserStore
    /// Of users that were not erased since, what was stored: the log may have purged it.
    private(set) var entries: [LogEntry] = []
    private(set) var logins: [LastLogin] = []

    init(seed: UInt64 = 1, on disk: VirtualDisk = VirtualDisk()) async throws {
        environment = TestEnvironment(seed: seed)
        environment.clock.set(testNow)
        self.disk = disk
        store = try await Self.open(disk, environment)
    }

    private static func open(_ disk: VirtualDisk, _ environment: TestEnvironment) async throws -> UserStore {
        try await UserStore.open(
            directory, options: UserStore.Options(key: testKey), environment: environment.on(disk))
    }

    var logs: [EventLog] { [store.logins, store.lastLogins] }

    // MARK: - What it is told

    func add(_ entries: [LogEntry]) async throws {
        try await store.add(entries)
        self.entries += entries.filter { $0.bucket >= store.logins.horizon }
    }

    func set(_ login: LastLogin) async throws {
        try await store.set(login)
        if login.bucket >= store.lastLogins.horizon { logins.append(login) }
    }

    func erase(_ name: String) async throws {
        try await store.erase(utf8(name))
        entries.removeAll { $0.username == utf8(name) }
        logins.removeAll { $0.username == utf8(name) }
    }

    func compact() async throws {
        for log in logs {
            try await log.seal()
            _ = try await log.compact()
        }
    }

    /// Throws away what is older than so many hours.
    @discardableResult
    func purge(hours: UInt64) async throws -> [PurgeReport] {
        var options = PurgeOptions()
        options.policy = RetentionPolicy(maxAgeMilliseconds: hours * 3_600_000)
        options.allowsStep = true
        return [try await store.logins.purge(options), try await store.lastLogins.purge(options)]
    }

    func reopen(crashing: Bool = false) async throws {
        if crashing { return try await reopen(on: disk.processCrash()) }
        try await store.close()
        store = try await Self.open(disk, environment)
    }

    /// The process is gone, and the next one finds this disk.
    func reopen(on other: VirtualDisk) async throws {
        let dead = store
        disk = other
        store = try await Self.open(disk, environment)
        // What its log says of a disk that is gone does not matter.
        try? await dead.close()
    }

    // MARK: - What it says

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

    /// The stored lines of a user, in no order.
    func lines(of name: String) throws -> [String] {
        let matcher = UserMatcher(utf8(name))
        let query = KeyQuery(key: testKey.user(utf8(name)), since: .earliest, limit: 1_000)
        return try store.logins.snapshot().page(of: query) { matcher.matches($0) }.lines.map(text).sorted()
    }

    func expectedLines(of name: String) -> [String] {
        entries.filter { $0.username == utf8(name) && $0.bucket >= store.logins.horizon }.map { text($0.line) }.sorted()
    }

    // MARK: - What lies on the disk

    /// Checkpoints of a stream, the oldest first.
    func checkpoints(_ stream: StreamName) -> [String] { paths(stream, "views") }
    func paths(_ stream: StreamName, _ part: String) -> [String] {
        disk.paths.filter { $0.hasPrefix("\(Self.directory)/\(stream)/\(part)/") }
    }

    /// The lines of a segment or checkpoint.
    func lines(in path: String) throws -> [UInt8] {
        var lines: [UInt8] = []
        _ = try SegmentDump.read(path, environment: environment.on(disk)) { lines += Array($1) }
        return lines
    }

    /// The records of the stream `audit`, in order of arrival.
    func auditRecords() throws -> [String] {
        var options = LogOptions()
        options.stream = .audit
        let audit = try StoreReader.snapshot(
            of: Self.directory, options: options, environment: environment.on(disk))
        let scan = try Scan(audit.snapshot, ScanRequest(order: .arrival))
        var records: [String] = []
        while let chunk = try scan.next() { chunk.forEachLine { line, _ in records.append(text(Array(line))) } }
        return records
    }

    /// Every file of the data directory whose name, bytes or decompressed lines have `bytes`.
    func files(with bytes: [UInt8]) throws -> [String] {
        try disk.paths.filter { path in
            guard !path.hasSuffix("/RESERVE") else { return false }
            let isCompressed = path.hasSuffix(".lz4") || path.hasSuffix(".zst")
            let lines = isCompressed ? try lines(in: path) : []
            return [utf8(path), disk.contents(path) ?? [], lines].contains { $0.holds(bytes) }
        }
    }

    func files(with text: String) throws -> [String] { try files(with: utf8(text)) }
}

extension [UInt8] {
    func holds(_ text: [UInt8]) -> Bool {
        count >= text.count && (0...count - text.count).contains { self[$0..<$0 + text.count].elementsEqual(text) }
    }
}
