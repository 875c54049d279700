import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("the stream audit")
struct AuditTrailTests {
    private let environment = TestEnvironment()

    private func open(_ disk: VirtualDisk) throws -> EventLog {
        try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
    }

    private func lines(_ disk: VirtualDisk) throws -> [String] {
        var options = LogOptions()
        options.stream = .audit
        let snapshot = try StoreReader.snapshot(
            of: "/data", options: options, environment: environment.on(disk)
        ).snapshot
        var lines: [String] = []
        let scan = try Scan(snapshot, ScanRequest(order: .arrival))
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
        }
        return lines
    }

    private static func entries(_ numbers: ClosedRange<Int>) -> [AuditEntry] {
        numbers.map { AuditEntry(line: #"{"timestamp":600000,"n":\#($0)}"#, time: 600_000) }
    }

    private static func text(_ numbers: ClosedRange<Int>) -> [String] { entries(numbers).map(\.line) }

    @Test("records stand in order, whether the stream is kept open between them or not", arguments: [true, false])
    func order(keepsOpen: Bool) async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        try log.audit.append(Self.entries(1...2), keepsOpen: keepsOpen)
        #expect(try lines(disk) == Self.text(1...2), "durable when it returns, and readable beside")
        try log.audit.append(Self.entries(3...3))
        try log.audit.append(Self.entries(4...4), keepsOpen: keepsOpen)
        try await log.close()
        #expect(try lines(disk) == Self.text(1...4))
        try await open(disk).close()
    }

    @Test("a stream that is kept open takes one sync a batch, and none is taken in vain")
    func syncs() async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        try log.audit.append(Self.entries(1...1), keepsOpen: true)
        let operations = disk.calls(of: .sync)
        try log.audit.append(Self.entries(2...2), keepsOpen: true)
        #expect(disk.calls(of: .sync) == operations + 1)
        try await log.close()
    }

    @Test("a stream that was poisoned is opened anew")
    func poisoned() async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        try log.audit.append(Self.entries(1...1), keepsOpen: true)
        disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
        try log.audit.append(Self.entries(2...2), keepsOpen: true)
        #expect(disk.faultsStruck == 1)
        try log.audit.append(Self.entries(3...3), keepsOpen: true)
        try await log.close()
        #expect(Set(try lines(disk)) == Set(Self.text(1...3)))
    }

    @Test("the power may go while it is open")
    func powerLoss() async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        try log.audit.append(Self.entries(1...1), keepsOpen: true)
        let left = disk.powerLoss(seed: 0, mode: .dropAll)
        let next = try open(left)
        try next.audit.append(Self.entries(2...2), keepsOpen: true)
        try await next.close()
        #expect(try lines(left) == Self.text(1...2))
        try await log.close()
    }
}
