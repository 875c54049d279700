import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Policies and holds")
struct RetentionSettingsTests {
    private let disk = VirtualDisk()
    private let environment = TestEnvironment()

    private func open() throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    private func failure<Value>(_ call: () async throws(StoreError) -> Value) async -> StoreError? {
        do throws(StoreError) {
            _ = try await call()
            return nil
        } catch {
            return error
        }
    }

    private func unlocked() throws -> LogSnapshot {
        try StoreReader.snapshot(of: dataDirectory, options: LogOptions(), environment: environment.on(disk)).snapshot
    }

    @Test("a policy is there at once, for readers without the lock too, and after the store is opened again")
    func policy() async throws {
        let policy = RetentionPolicy(maxAgeMilliseconds: 86_400_000, minFreeBytes: 1 << 30)
        let log = try open()
        #expect(log.policy.isForever)
        let before = log.snapshot()
        try await log.setPolicy(policy)
        #expect(log.policy == policy && before.policy == .forever)
        #expect(try unlocked().policy == policy)
        try await log.close()
        let again = try open()
        #expect(again.policy == policy && !again.policy.isForever)
        try await again.setPolicy(.forever)
        #expect(again.policy == .forever)
        #expect(try unlocked().policy == .forever)
        try await again.close()
    }

    @Test("bounds that mean everything, or nothing, are refused", arguments: [0, UInt64.max])
    func badPolicy(bound: UInt64) async throws {
        let log = try open()
        for policy in [
            RetentionPolicy(maxAgeMilliseconds: bound), RetentionPolicy(maxBytes: bound),
            RetentionPolicy(minFreeBytes: bound),
        ] {
            #expect(await failure { () throws(StoreError) in try await log.setPolicy(policy) }?.code == .badArgument)
        }
        #expect(log.policy == .forever)
        try await log.close()
    }

    @Test("a hold covers whole buckets and has a number of its own, also after others were removed")
    func holds() async throws {
        let log = try open()
        let start = Bucket.ofTest(3).milliseconds
        let first = try await log.addHold(start + 1...start + 700_000, reason: "Aktenzeichen 7 – ✓")
        #expect(first.number == 1 && first.from == .ofTest(3) && first.to == .ofTest(4))
        #expect(first.created == environment.clock.now / 600_000 * 600_000 && first.reason == "Aktenzeichen 7 – ✓")
        let second = try await log.addHold(0...UInt64.max, reason: String(repeating: "x", count: 1_024))
        #expect(log.holds == [first, second])
        #expect(try unlocked().holds == [first, second])
        #expect(try await log.removeHold(2) == second)
        #expect(await failure { () throws(StoreError) in try await log.removeHold(2) }?.code == .missing)
        try await log.close()
        let again = try open()
        #expect(again.holds == [first])
        #expect(try await again.addHold(start...start, reason: "x").number == 3)
        #expect(try await again.removeHold(1) == first)
        #expect(again.holds.map(\.number) == [3])
        try await again.close()
    }

    @Test(
        "a reason is there and has no control characters",
        arguments: ["", String(repeating: "é", count: 513), "a\nb", "\u{7F}", "a\u{85}"])
    func badReason(reason: String) async throws {
        let log = try open()
        let error = await failure { () throws(StoreError) in try await log.addHold(1...2, reason: reason) }
        #expect(error?.code == .badArgument && log.holds.isEmpty)
        try await log.close()
    }

    @Test("a range that is purged already is refused, one that reaches the horizon is not")
    func purged() async throws {
        let log = try open()
        try await log.perform { (writer) throws(StoreError) in
            try writer.updateManifest { $0.horizon = .ofTest(5) }
        }
        let horizon = Bucket.ofTest(5).milliseconds
        let error = await failure { () throws(StoreError) in try await log.addHold(0...horizon - 1, reason: "x") }
        #expect(error?.code == .badArgument && error?.message.contains("purged already") == true)
        #expect(try await log.addHold(0...horizon, reason: "x").to == .ofTest(5))
        try await log.close()
    }

    @Test("there are at most 1,000 holds")
    func many() async throws {
        let log = try open()
        for number in 1...1_000 as ClosedRange<UInt64> {
            #expect(try await log.addHold(number...number, reason: "x").number == number)
        }
        let error = await failure { () throws(StoreError) in try await log.addHold(1...1, reason: "x") }
        #expect(error?.code == .badArgument && log.holds.count == 1_000)
        _ = try await log.removeHold(500)
        #expect(try await log.addHold(1...1, reason: "x").number == 1_001)
        try await log.close()
    }

    @Test("settings go with other changes of the manifest: seals, sequences, the close")
    func beside() async throws {
        let log = try open()
        let hold = try await log.addHold(1...2, reason: "x")
        _ = try await log.append(TestBatch(100, buckets: [1, 2]).lines, delivery: nil)
        try await log.seal()
        try await log.setPolicy(RetentionPolicy(maxBytes: 5))
        _ = try await log.append(TestBatch(200, buckets: [1, 2]).lines, delivery: nil)
        try await log.close()
        let again = try open()
        #expect(again.holds == [hold] && again.policy == RetentionPolicy(maxBytes: 5) && again.report.notes.isEmpty)
        #expect(try again.snapshot().count().events == 4)
        try await again.close()
    }
}
