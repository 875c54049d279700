import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("Users in a log")
struct UserLogTests {
    private static let directory = "/data"

    private func open(_ disk: VirtualDisk, _ environment: TestEnvironment) throws -> EventLog {
        var options = LogOptions()
        options.stream = try #require(StreamName("logins"))
        options.resolution = hour
        options.keys = testKey.streamKeys()
        return try EventLog.open(Self.directory, options: options, environment: environment.on(disk))
    }

    private func add(_ entry: LogEntry, to log: EventLog) async throws {
        let batch = LineBatch()
        entry.append(to: batch, testKey)
        _ = try await log.append(batch, delivery: nil)
    }

    private func page(_ log: EventLog, of name: String, limit: Int = 100) throws -> [LogEntry] {
        let matcher = UserMatcher(utf8(name))
        let page = try log.snapshot().page(of: KeyQuery(key: testKey.user(utf8(name)), limit: limit)) {
            matcher.matches($0)
        }
        return try page.lines.map { line in try line.withUnsafeBytes { try LogEntry(stored: $0) } }
    }

    /// What a view must be that was folded from all that a log has.
    private func replayed(_ log: EventLog) throws -> DeviceView {
        var view = DeviceView(seed: 9)
        let scan = try Scan(log.snapshot(), ScanRequest(order: .arrival))
        while let chunk = try scan.next() {
            try chunk.forEachLine { line, _ in view.fold(try LogEntry(stored: line)) }
        }
        return view
    }

    @Test(
        "entries, views and erased users are the same before and after a compaction", arguments: [1, 2, 3] as [UInt64])
    func log(seed: UInt64) async throws {
        let (disk, environment) = (VirtualDisk(), TestEnvironment(seed: seed))
        environment.clock.set(testNow)
        var source = RandomEntries(random: SeededRandom(seed: seed))
        var log = try open(disk, environment)
        var (view, entries) = (DeviceView(seed: 1), [LogEntry]())
        for step in 0..<120 {
            let entry = source.entry()
            try await add(entry, to: log)
            view.fold(entry)
            entries.append(entry)
            if step % 40 == 20 { try await log.seal() }
            if step == 70 { _ = try await log.compact() }
            if step == 100 {
                try await log.erase(testKey.user(utf8("bob")))
                view.erase(utf8("bob"))
                entries.removeAll { $0.username == utf8("bob") }
            }
        }
        for _ in 0..<2 {
            #expect(try replayed(log).checkpoint() == view.checkpoint())
            for name in ["ann", "bob", "ü\"\\", "nobody"] {
                let found = try page(log, of: name)
                let expected = entries.filter { $0.username == utf8(name) }
                #expect(found.map(\.bucket) == expected.map(\.bucket).sorted(by: >))
                #expect(found.map(\.line.hex).sorted() == expected.map(\.line.hex).sorted())
            }
            try await log.seal()
            _ = try await log.compact()
            try await log.close()
            log = try open(disk, environment)
        }
        try await log.close()
    }
}

@Suite("Users of lines")
struct UserLineTests {
    @Test(
        "the user of a stored line is found, whatever its name is made of",
        arguments: ["ann", "ü", "a\"\\b", "\u{1}\n", " "])
    func username(name: String) {
        for bucket in [testNow, testNow + 1] {
            let entry = LogEntry(name, device: "d", at: bucket)
            let login = LastLogin(bucket: Bucket(milliseconds: bucket), username: utf8(name), service: utf8("s"))
            for line in [entry.line, login.line] {
                line.withUnsafeBytes { line in
                    #expect(UserLine.username(line) == utf8(name))
                    #expect(UserMatcher(utf8(name)).matches(line))
                    #expect(!UserMatcher(utf8(name + "x")).matches(line))
                    #expect(!UserMatcher(utf8("ann ")).matches(line))
                    #expect(testKey.streamKeys().key(line) == testKey.user(utf8(name)))
                }
            }
        }
    }

    @Test("a line of something else has no user", arguments: ["", "{}", #"{"timestamp":1}"#, #"{"username":"ann"}"#])
    func none(line: String) {
        withBytes(line) { line in
            #expect(UserLine.username(line) == nil)
            #expect(!UserMatcher(utf8("ann")).matches(line))
        }
    }
}

extension [UInt8] {
    fileprivate var hex: String { map { String($0, radix: 16) }.joined(separator: " ") }
}
