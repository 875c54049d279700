import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("What is left of an erased user")
struct UserErasureTests {
    private static let name = "unmistakable-name"
    private static let device = "unmistakable-device"
    private static let address = "192.0.2.77"
    private static let time = "2026-11-21T08:17:33Z"

    private func bodies(_ name: String) -> [String] {
        [
            #"{"username":"\#(name)","type":"login","timestamp":"\#(Self.time)","remote_addr":"\#(Self.address)","#
                + #""message":"from \#(Self.address)","device_info":{"id":"\#(Self.device)","browser":"b"}}"#,
            #"{"username":"bob","type":"login","timestamp":"2026-11-20T08:00:00Z","device_info":{"id":"other"}}"#,
        ]
    }

    private func log(_ name: String, in test: TestStore, delivery: UInt64? = nil) async throws {
        for body in bodies(name) {
            let entry = try withBytes(body) { try test.store.entry($0) }
            let named = delivery.map {
                Delivery.key(Hash128(low: $0, high: 1), fingerprint: withBytes(body) { test.store.fingerprint(of: $0) })
            }
            try await test.store.add([entry], delivery: entry.username == utf8(name) ? named : nil)
        }
        try await test.set(
            LastLogin(bucket: Bucket(milliseconds: testNow), username: utf8(name), service: utf8("web")))
    }

    /// A user in cold and hot segments, in the active one and in both checkpoints.
    private func everywhere() async throws -> TestStore {
        let test = try await TestStore()
        try await log(Self.name, in: test)
        try await test.compact()
        try await test.store.checkpoint()
        try await log(Self.name, in: test)
        try await test.store.checkpoint()
        try await log(Self.name, in: test)
        return test
    }

    /// What would tell of the user: the name, its key and that of the device, as bytes and as digits.
    private var traces: [[UInt8]] {
        let device = testKey.device(utf8(Self.device))
        let key = testKey.user(utf8(Self.name))
        return [utf8(Self.name), utf8(device.hex), littleEndian(key.low), littleEndian(key.high)]
    }

    private func littleEndian(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    /// Where any of the traces is; the receipt in `audit` has the key in digits.
    private func found(_ test: TestStore) throws -> [String] { try traces.flatMap { try test.files(with: $0) } }

    @Test("addresses, ids and exact times never reach the disk")
    func neverWritten() async throws {
        let test = try await everywhere()
        #expect(try test.files(with: Self.name).count >= 4)
        for planted in [Self.device, Self.address, "08:17", "\(testNow - 6_147_000)"] {
            #expect(try test.files(with: planted).isEmpty, "\(planted)")
        }
        try await test.store.close()
    }

    @Test("after an erasure and a compaction it is in no segment, no checkpoint and no manifest")
    func nowhere() async throws {
        let test = try await everywhere()
        // Indexes have the low half of a key alone.
        #expect(try traces.dropLast().allSatisfy { try !test.files(with: $0).isEmpty })
        try await test.store.erase(utf8(Self.name))
        for log in test.logs { _ = try await log.compact() }
        #expect(try found(test) == [])
        #expect(test.checkpoints(.logins).count == 2 && test.checkpoints(.lastLogins).count == 2)
        try await test.reopen()
        #expect(try found(test) == [])
        #expect(try test.lines(of: "bob").count == 3)
        try await log(Self.name, in: test)
        #expect(try test.lines(of: Self.name).count == 1)
        #expect(test.store.devices.read { $0.devices(of: utf8(Self.name)) }.map(\.count) == [1])
        try await test.store.close()
    }

    @Test("what a hold covers stays, unseen, and with the tombstone; the views forget all the same")
    func held() async throws {
        let test = try await everywhere()
        let day = testNow - 86_400_000...testNow
        let hold = try await test.store.logins.addHold(day, reason: "court")
        try await test.store.erase(utf8(Self.name))
        for log in test.logs { _ = try await log.compact() }
        let left = try test.files(with: Self.name)
        #expect(!left.isEmpty && left.allSatisfy { $0.hasPrefix("/data/logins/") && !$0.contains("/views/") })
        #expect(try test.lines(of: Self.name).isEmpty)
        try await test.reopen()
        #expect(try test.lines(of: Self.name).isEmpty)
        #expect(test.store.devices.read { $0.devices(of: utf8(Self.name)) }.isEmpty)
        _ = try await test.store.logins.removeHold(hold.number)
        _ = try await test.store.logins.compact()
        #expect(try found(test) == [])
        try await test.store.close()
    }

    @Test("in what order the entries of a bucket came cannot be read from a compacted store")
    func order() async throws {
        var stores: [[[UInt8]]] = []
        for isReversed in [false, true] {
            let test = try await TestStore(seed: 5)
            var entries = (0..<40).map { LogEntry("user-\($0 % 9)", device: "d\($0)", at: testNow) }
            if isReversed { entries.reverse() }
            for entry in entries { try await test.add([entry]) }
            try await test.store.checkpoint()
            try await test.compact()
            let paths = test.paths(.logins, "cold") + test.checkpoints(.logins)
            #expect(test.paths(.logins, "cold").count == 1)
            stores.append(try paths.map { try test.lines(in: $0) })
            try await test.store.close()
        }
        #expect(stores[0] == stores[1])
    }

    @Test("the memory of its deliveries forgets what they were, and not that they came", arguments: [false, true])
    func deliveries(isCompactedBefore: Bool) async throws {
        let test = try await TestStore()
        try await log(Self.name, in: test, delivery: 7)
        if isCompactedBefore { try await test.compact() }
        let body = utf8(bodies(Self.name)[0])
        let fingerprint = body.withUnsafeBytes { test.store.fingerprint(of: $0) }
        #expect(try !test.files(with: littleEndian(fingerprint.low)).isEmpty)
        try await test.store.erase(utf8(Self.name))
        for log in test.logs { _ = try await log.compact() }
        #expect(try test.files(with: littleEndian(fingerprint.low)).isEmpty)
        #expect(try test.files(with: littleEndian(fingerprint.high)).isEmpty)
        for _ in 0..<2 {
            let again = Delivery.key(Hash128(low: 7, high: 1), fingerprint: Hash128(low: 9, high: 9))
            let outcome = try await test.store.add([LogEntry(Self.name, device: "d", at: testNow)], delivery: again)
            #expect(outcome.isRepeat && outcome.accepted == 1)
            #expect(test.store.devices.read { $0.devices(of: utf8(Self.name)) }.isEmpty)
            try await test.reopen(crashing: true)
        }
        try await test.store.close()
    }
}
