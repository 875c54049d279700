import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("A full disk")
struct FullDiskTests {
    @Test("random appends, seals, crashes and closes while others fill the disk and make room", arguments: 1...12)
    func random(seed: UInt64) async throws {
        var model = try FullDiskModel(seed: seed)
        for _ in 1...100 { try await model.step() }
        try await model.finish()
        #expect(model.refused > 1, "seed \(seed)")
        #expect(model.stored > 10, "seed \(seed)")
    }

    @Test("cut at any operation: the store opens, full as the disk is, and nothing acknowledged is lost")
    func everyCut() async throws {
        let operations = await Scenario.fullDisk.forEachCut(from: try await Scenario.fullDisk.start()) { cut, stage in
            var harm: [String] = []
            for loss in PowerLoss.all(at: cut) {
                harm += await harmOfFullDisk(loss.of(stage.disk), stage).map { "\(loss): \($0)" }
            }
            let next = stage.disk.processCrash()
            next.clearFaults()
            harm += await harmOfFullDisk(next, stage).map { "killed: \($0)" }
            expectNone(harm, "cut at operation \(cut)", stage.disk)
            return harm.isEmpty
        }
        #expect(operations > 60)
    }

    /// Opens what is left as it is, then again with room to repeat every delivery.
    private func harmOfFullDisk(_ disk: VirtualDisk, _ stage: Scenario.Stage) async -> [String] {
        do throws(StoreError) {
            let log = try EventLog.open(
                dataDirectory, options: LogOptions(), environment: stage.environment.on(disk))
            let events = try readAll(log.snapshot(), ScanRequest(order: .arrival)).events
            try await log.close()
            let harm = stage.ledger.violations(of: events)
            disk.freeBytes = 1 << 30
            return harm + (await examine(disk, stage.ledger, stage.environment))
        } catch {
            return ["not opened or closed: \(error)"]
        }
    }
}

extension Scenario.Stage {
    /// Sends a batch that there is no room for.
    fileprivate mutating func refuse(_ batch: TestBatch, by log: EventLog) async throws(StoreError) {
        do throws(StoreError) {
            try await ledger.append(batch, to: log)
        } catch {
            guard error.code == .noSpace else { throw error }
            return
        }
        Issue.record("\(batch) was stored on a full disk")
    }

    fileprivate func makeRoom() {
        disk.freeBytes = 1 << 30
        environment.clock.advance(by: Bounds.freeSpaceMilliseconds)
    }
}

extension Scenario {
    private static let first = TestBatch(100, buckets: [3, 4], key: 1)
    private static let second = TestBatch(200, buckets: [2, 4, 2], padding: 100, key: 2)
    private static let third = TestBatch(300, buckets: [5], key: 3)
    private static let fourth = TestBatch(400, buckets: [1, 6], padding: 50, key: 4)

    /// The disk fills up, the store is closed and recovered on it, and goes on once there is room.
    fileprivate static let fullDisk = Scenario("a full disk", hasStore: true) { stage throws(StoreError) in
        try await stage.open { log, stage throws(StoreError) in
            try await stage.append(first, to: log)
            stage.disk.freeBytes = 40
            for _ in 1...2 { try await stage.refuse(second, by: log) }
            _ = try await log.addHold(0...1, reason: "a full disk")
            try stage.read(log)
        }
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try await stage.refuse(third, by: log)
            stage.makeRoom()
            try await stage.append(third, to: log)
            stage.disk.freeBytes = 0
            try await stage.refuse(second, by: log)
        }
        try await stage.open { log, stage throws(StoreError) in
            try stage.read(log)
            try await stage.refuse(fourth, by: log)
            stage.makeRoom()
            try await stage.append(fourth, to: log)
        }
    }
}

/// A log on a disk that others fill, and what it should hold.
private struct FullDiskModel {
    private static let reserve: UInt64 = 64 << 10
    private static let reservePath = "\(dataDirectory)/interactions/RESERVE"
    private var random: SeededRandom
    private var disk = VirtualDisk()
    private let environment: TestEnvironment
    private var log: EventLog
    private var reference = ReferenceLog()
    private var nextNumber = 1
    /// Files of others.
    private var ballast: [String] = []
    private(set) var stored = 0
    private(set) var refused = 0

    init(seed: UInt64) throws(StoreError) {
        random = SeededRandom(seed: seed)
        environment = TestEnvironment(seed: seed)
        log = try Self.open(disk, environment)
        disk.freeBytes = 300_000
    }

    private static func open(_ disk: VirtualDisk, _ environment: TestEnvironment) throws(StoreError) -> EventLog {
        var options = LogOptions()
        options.reserveBytes = reserve
        options.sealBytes = 4_000
        return try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    mutating func step() async throws {
        if random.oneIn(3) { environment.clock.advance(by: Bounds.freeSpaceMilliseconds) }
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: try await append()
        case 9..<11: try fill()
        case 11..<14: try makeRoom()
        case 14: _ = try? await log.seal()
        case 15: try await log.perform { (writer) throws(StoreError) in try writer.room.lendReserve() }
        case 16: _ = try await log.perform { (writer) throws(StoreError) in try writer.room.takeReserve() }
        case 17: try await reopen { log, disk in try await log.close() }
        case 18: try await reopen { log, disk in disk = disk.processCrash() }
        default:
            let seed = UInt64.random(in: 0 ... .max, using: &random)
            try await reopen { log, disk in disk = disk.powerLoss(seed: seed, mode: .random) }
            ballast = disk.paths.filter { $0.hasPrefix("/ballast") }
        }
        #expect(log.health.failure == nil, "a full disk poisons nothing\n\(disk.history())")
    }

    private func check() throws(StoreError) {
        let found = try readAll(log.snapshot(), ScanRequest(order: .arrival)).events
        #expect(found == reference.entries.map(\.read), "\(disk.history())")
    }

    private mutating func append() async throws {
        let buckets = (0..<Int.random(in: 1...20, using: &random)).map { _ in Int.random(in: 0...9, using: &random) }
        let batch = TestBatch(nextNumber, buckets: buckets, padding: Int.random(in: 0...300, using: &random))
        nextNumber += buckets.count
        do throws(StoreError) {
            let outcome = try await log.append(batch.lines, delivery: nil)
            reference.append(batch.events, firstSequence: outcome.firstSequence)
            stored += 1
        } catch {
            guard error.code == .noSpace else { throw error }
            refused += 1
        }
    }

    private mutating func fill() throws {
        let path = "/ballast-\(disk.operations)-\(nextNumber)"
        let free = disk.freeBytes
        let bytes = random.oneIn(2) ? free : UInt64.random(in: 0...free, using: &random)
        guard bytes > 0 else { return }
        try disk.allocate(path, bytes: bytes)
        ballast.append(path)
    }

    private mutating func makeRoom() throws {
        guard let path = ballast.popLast() else { return }
        try disk.remove(path)
    }

    /// Ends the process in some way. Where RESERVE is there the next one opens the store, full as the disk is;
    /// else it may need room.
    private mutating func reopen(_ end: (EventLog, inout VirtualDisk) async throws -> Void) async throws {
        let hadReserve = try disk.length(of: Self.reservePath) == Self.reserve
        do {
            try await end(log, &disk)
        } catch let error as StoreError {
            #expect(error.code == .noSpace && !hadReserve)
        }
        let isHeld = try disk.length(of: Self.reservePath) == Self.reserve
        do throws(StoreError) {
            log = try Self.open(disk, environment)
        } catch {
            #expect(error.code == .noSpace && !isHeld, "\(disk.history())")
            disk.freeBytes = 100_000
            log = try Self.open(disk, environment)
        }
        try check()
    }

    /// Once there is room the log goes on by itself.
    mutating func finish() async throws {
        while !ballast.isEmpty { try makeRoom() }
        disk.freeBytes = 1 << 20
        environment.clock.advance(by: Bounds.freeSpaceMilliseconds)
        let before = stored
        try await append()
        #expect(stored == before + 1)
        try await log.seal()
        try await log.close()
        log = try Self.open(disk, environment)
        #expect(log.report.faults.isEmpty && log.report.notes.isEmpty)
        try check()
        try await log.close()
    }
}
