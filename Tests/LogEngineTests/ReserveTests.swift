import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("RESERVE")
struct ReserveTests {
    private static let reserve: UInt64 = 1 << 20
    private static let path = "\(dataDirectory)/interactions/RESERVE"
    private let disk = VirtualDisk()
    private let environment = TestEnvironment()

    private func open(_ disk: VirtualDisk? = nil, reserve: UInt64 = reserve) throws(StoreError) -> EventLog {
        var options = LogOptions()
        options.reserveBytes = reserve
        return try EventLog.open(dataDirectory, options: options, environment: environment.on(disk ?? self.disk))
    }

    private func append(_ number: Int, to log: EventLog) async -> StoreError? {
        environment.clock.advance(by: Bounds.freeSpaceMilliseconds)
        do throws(StoreError) {
            _ = try await log.append(TestBatch(number, buckets: [1, 2, 1]).lines, delivery: nil)
            return nil
        } catch {
            return error
        }
    }

    private func reserved(_ disk: VirtualDisk? = nil) throws -> UInt64? {
        try (disk ?? self.disk).length(of: Self.path)
    }

    @Test("is taken when the store is opened, and kept when it is closed and opened again")
    func kept() async throws {
        for _ in 1...2 {
            let log = try open()
            #expect(log.report.notes.isEmpty)
            #expect(try reserved() == Self.reserve)
            try await log.close()
        }
        #expect(disk.calls(of: .allocate) == 1)
        #expect(disk.capacity - disk.freeBytes > Self.reserve)
    }

    @Test("of another size, or cut short by a crash, is made anew; of size 0 it is removed", arguments: [3_000, 0])
    func resized(bytes: Int) async throws {
        try await open().close()
        disk.replace(Self.path, Array(repeating: 0, count: bytes))
        try await open().close()
        #expect(try reserved() == Self.reserve)
        try await open(reserve: 2 * Self.reserve).close()
        #expect(try reserved() == 2 * Self.reserve)
        try await open(reserve: 0).close()
        #expect(try reserved() == nil)
    }

    @Test("a hole in its place, as a copy of the store may have, takes its room")
    func hole() throws {
        let real = PosixDisk()
        let directory = try TemporaryDirectory()
        let layout = Layout(data: directory.path, stream: .interactions)
        try real.makeDirectories([layout.root])
        try StoreFile(real, layout.reserve, .create).truncate(to: Self.reserve)
        #expect(try real.allocatedBytes(of: layout.reserve) ?? 0 < Self.reserve)
        let reserve = try Reserve(layout, real, bytes: Self.reserve)
        #expect(reserve.settle().isEmpty)
        #expect(try real.allocatedBytes(of: layout.reserve) ?? 0 >= Self.reserve)
        try reserve.give(until: .missing)
        #expect(try real.allocatedBytes(of: layout.reserve) == nil)
    }

    @Test("leaves a new store what appends leave free; without it they leave its room too, and it is taken then")
    func noRoom() async throws {
        disk.capacity = 2 * Self.reserve
        let log = try open()
        #expect(log.report.notes.count == 1 && log.report.notes[0].contains("appends are refused until 2097152"))
        #expect(try reserved() == nil)
        #expect(await append(100, to: log)?.code == .noSpace)
        #expect(try reserved() == nil)
        disk.freeBytes = 2 * Self.reserve + 20_000
        #expect(await append(100, to: log) == nil)
        #expect(try reserved() == Self.reserve)
        #expect(disk.freeBytes >= Self.reserve)
        try await log.close()
    }

    @Test("lent, its room is not for appends; it is taken again when it is asked for and there is room")
    func givenUp() async throws {
        let log = try open()
        disk.freeBytes = Self.reserve + 10_000
        #expect(await append(100, to: log) == nil)
        try await log.perform { (writer) throws(StoreError) in try writer.room.lendReserve() }
        #expect(disk.freeBytes > 2 * Self.reserve)
        #expect(try reserved() == nil)
        disk.freeBytes -= 10_000
        #expect(await append(200, to: log)?.code == .noSpace)
        #expect(try await log.perform { (writer) throws(StoreError) in try writer.room.takeReserve() })
        #expect(try reserved() == Self.reserve)
        try await log.perform { (writer) throws(StoreError) in try writer.room.lendReserve() }
        disk.freeBytes = Self.reserve - 1
        #expect(try await !log.perform { (writer) throws(StoreError) in try writer.room.takeReserve() })
        #expect(try reserved() == nil && disk.freeBytes == Self.reserve - 1)
        try await log.perform { (writer) throws(StoreError) in try writer.room.lendReserve() }
        disk.freeBytes = 2 * Self.reserve + 10_000
        #expect(await append(200, to: log) == nil)
        #expect(try reserved() == nil, "still lent")
        #expect(try await log.perform { (writer) throws(StoreError) in try writer.room.takeReserve() })
        try await log.close()
    }

    @Test("taken again, what is free is asked for before the next append")
    func takenAgain() async throws {
        let log = try open()
        try await log.perform { (writer) throws(StoreError) in try writer.room.lendReserve() }
        disk.freeBytes = 2 * Self.reserve + 100_000
        #expect(await append(100, to: log) == nil)
        #expect(try await log.perform { (writer) throws(StoreError) in try writer.room.takeReserve() })
        disk.freeBytes = 100
        let refusals = log.health.appendsWithoutRoom
        _ = try? await log.append(TestBatch(200, buckets: [1]).lines, delivery: nil)
        #expect(log.health.appendsWithoutRoom == refusals + 1)
        disk.freeBytes = 1 << 30
        try await log.close()
    }

    @Test("pays for the recovery and the close of a store on a full disk, and is taken back")
    func fullDisk() async throws {
        let log = try open()
        for number in 1...20 { #expect(await append(100 * number, to: log) == nil) }
        let full = disk.processCrash()
        full.freeBytes = 0
        let recovered = try open(full)
        #expect(recovered.report.faults.isEmpty)
        #expect(try recovered.snapshot().count().events == 60)
        #expect(await append(5_000, to: recovered)?.code == .noSpace)
        full.freeBytes = 0
        try await recovered.close()
        let again = try open(full)
        #expect(again.report.faults.isEmpty)
        #expect(try again.snapshot().count().events == 60)
        full.freeBytes = 1 << 30
        #expect(await append(5_000, to: again) == nil)
        try await again.close()
        let last = try open(full)
        #expect(last.report.notes.isEmpty)
        #expect(try reserved(full) == Self.reserve)
        #expect(try last.snapshot().count().events == 63)
        try await last.close()
        try? await log.close()
    }

    @Test("given up for a hold, it is taken as soon as appends find room")
    func paid() async throws {
        let log = try open()
        disk.freeBytes = 10
        _ = try await log.addHold(1...2, reason: String(repeating: "x", count: 100))
        #expect(try reserved() == nil)
        disk.freeBytes = 2 * Self.reserve + 20_000
        #expect(await append(100, to: log) == nil)
        #expect(try reserved() == Self.reserve)
        try await log.close()
    }

    @Test("that cannot be made is noted; the store is opened all the same, and appends do not try again")
    func failure() async throws {
        disk.fail(.allocate, at: 1, with: .inputOutput)
        let log = try open()
        #expect(log.report.notes.count == 1)
        #expect(await append(100, to: log) == nil)
        #expect(try reserved() == nil && disk.calls(of: .allocate) == 1)
        #expect(try await log.perform { (writer) throws(StoreError) in try writer.room.takeReserve() })
        try await log.close()
    }
}
