import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

/// One thing that is done to a store.
enum UserStep: Sendable {
    case add([LogEntry])
    case set(LastLogin)
    case erase(String)
    case checkpoint
    case compact
    case purge(hours: UInt64)
    case close
}

/// What a store has been told, and answered.
struct Told: Sendable {
    private var entries: [LogEntry] = []
    private var logins: [LastLogin] = []

    func after(_ step: UserStep) -> Told {
        var told = self
        switch step {
        case .add(let entries): told.entries += entries
        case .set(let login): told.logins.append(login)
        case .erase(let name):
            told.entries.removeAll { $0.username == utf8(name) }
            told.logins.removeAll { $0.username == utf8(name) }
        case .checkpoint, .compact, .purge, .close: break
        }
        return told
    }

    var devices: [String] {
        var view = DeviceView(seed: 3)
        for entry in entries { view.fold(entry) }
        return view.checkpoint()
    }

    var lastLogins: [String] {
        var view = LastLoginView(seed: 3)
        for login in logins { view.fold(login) }
        return view.checkpoint()
    }

    func lines(since horizon: Bucket) -> [String] {
        entries.filter { $0.bucket >= horizon }.map { text($0.line) }.sorted()
    }
}

/// A story of a store, told on a disk until it ends or the disk fails it.
struct UserStory: Sendable, CustomStringConvertible {
    let description: String
    let steps: [UserStep]

    private static let day: UInt64 = 86_400_000
    private static func entries(_ name: String, daysAgo day: UInt64) -> UserStep {
        .add((0..<3).map { LogEntry(name, device: "d\($0)", at: testNow - day * Self.day, zone: "DE") })
    }
    private static func login(_ name: String, daysAgo day: UInt64) -> UserStep {
        .set(
            LastLogin(bucket: Bucket(milliseconds: testNow - day * Self.day), username: utf8(name), service: utf8("s")))
    }

    /// What all of them begin with.
    private static let past: [UserStep] = [
        entries("ann", daysAgo: 9), entries("bob", daysAgo: 9), login("ann", daysAgo: 9), login("bob", daysAgo: 8),
        .compact, .checkpoint, entries("ann", daysAgo: 3), login("ann", daysAgo: 3), .close,
    ]
    static let all = [
        UserStory(
            description: "checkpoints",
            steps: [entries("cid", daysAgo: 2), .checkpoint, login("cid", daysAgo: 2), .checkpoint, .close]),
        UserStory(
            description: "a purge", steps: [entries("bob", daysAgo: 1), .purge(hours: 100), entries("cid", daysAgo: 0)]),
        UserStory(
            description: "an erasure", steps: [.erase("ann"), .compact, entries("ann", daysAgo: 0), .checkpoint]),
    ]

    /// Before it there are no checkpoints.
    static let firstPurge = UserStory(
        description: "the first purge", steps: [entries("ann", daysAgo: 9), .purge(hours: 100)])

    struct Outcome: Sendable {
        var disk: VirtualDisk
        let environment: TestEnvironment
        var told = Told()
        /// What was under way when the disk failed.
        var pending: UserStep?
    }

    /// Where all stories begin: a store that is closed.
    static func start() async -> Outcome {
        var outcome = Outcome(disk: VirtualDisk(), environment: TestEnvironment())
        outcome.environment.clock.set(testNow)
        await UserStory(description: "the past", steps: past).run(on: &outcome)
        return outcome
    }

    func run(on outcome: inout Outcome) async {
        outcome.pending = .close
        guard let store = try? await outcome.open() else { return }
        var isClosed = false
        for step in steps {
            outcome.pending = step
            do { try await step.take(on: store) } catch { break }
            outcome.told = outcome.told.after(step)
            outcome.pending = nil
            if case .close = step { isClosed = true }
        }
        if !isClosed { try? await store.close() }
    }
}

extension UserStep {
    func take(on store: UserStore) async throws {
        switch self {
        case .add(let entries): try await store.add(entries)
        case .set(let login): try await store.set(login)
        case .erase(let name): try await store.erase(utf8(name))
        case .checkpoint: try await store.checkpoint()
        case .compact:
            for log in [store.logins, store.lastLogins] {
                try await log.seal()
                _ = try await log.compact()
            }
        case .purge(let hours):
            var options = PurgeOptions()
            options.policy = RetentionPolicy(maxAgeMilliseconds: hours * 3_600_000)
            options.allowsStep = true
            for log in [store.logins, store.lastLogins] { _ = try await log.purge(options) }
        case .close: try await store.close()
        }
    }
}

extension UserStory.Outcome {
    func open() async throws -> UserStore {
        try await UserStore.open(
            TestStore.directory, options: UserStore.Options(key: testKey), environment: environment.on(disk))
    }

    /// What the next process finds wrong on `disk`; `nil` where all is well.
    func harm(on disk: VirtualDisk) async -> String? {
        var next = self
        next.disk = disk
        do {
            let store = try await next.open()
            let found = try next.findings(in: store)
            try await store.close()
            return found
        } catch { return "\(error)" }
    }

    private func findings(in store: UserStore) throws -> String? {
        let possible = [told] + (pending.map { [told.after($0)] } ?? [])
        let devices = store.devices.read { $0.checkpoint() }
        guard possible.contains(where: { $0.devices == devices }) else { return "other devices: \(devices)" }
        let last = store.last.read { $0.checkpoint() }
        guard possible.contains(where: { $0.lastLogins == last }) else { return "other last logins: \(last)" }
        let snapshot = store.logins.snapshot()
        let scan = try Scan(snapshot, ScanRequest())
        var lines: [String] = []
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
        }
        lines.sort()
        guard possible.contains(where: { $0.lines(since: snapshot.horizon) == lines }) else {
            return "other lines: \(lines)"
        }
        return nil
    }
}
