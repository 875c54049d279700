import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("The reserve")
struct WriteRoomTests {
    private let disk = VirtualDisk()
    private let environment = TestEnvironment()
    private static let reserve: UInt64 = 1 << 20

    private func open(reserve: UInt64 = reserve) throws(StoreError) -> EventLog {
        var options = LogOptions()
        options.reserveBytes = reserve
        return try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    private func append(_ batch: TestBatch, to log: EventLog) async -> StoreError? {
        do throws(StoreError) {
            _ = try await log.append(batch.lines, delivery: batch.delivery)
            return nil
        } catch {
            return error
        }
    }

    @Test("an append that would use up the reserve is refused before anything is written, and counted")
    func refused() async throws {
        let log = try open()
        disk.freeBytes = Self.reserve + 1_000
        let writes = disk.calls(of: .write)
        for number in 1...3 {
            let error = await append(TestBatch(number, buckets: [1]), to: log)
            #expect(error?.code == .noSpace && error?.message.contains("1048576") == true)
            #expect(log.health.appendsWithoutRoom == number)
        }
        #expect(disk.calls(of: .write) == writes && log.health.failure == nil)
        #expect(try log.snapshot().count().events == 0)
        disk.freeBytes = 2 * Self.reserve
        #expect(await append(TestBatch(4, buckets: [1]), to: log) == nil)
        #expect(log.health.appendsWithoutRoom == 3)
        try await log.close()
    }

    @Test("in the reserve the log is sealed and closed, and its manifests are written")
    func sealedInReserve() async throws {
        let log = try open()
        for number in 1...20 { #expect(await append(TestBatch(number, buckets: [number]), to: log) == nil) }
        disk.freeBytes = Self.reserve
        environment.clock.advance(by: Bounds.freeSpaceMilliseconds)
        #expect(await append(TestBatch(50, buckets: [1], padding: 100), to: log)?.code == .noSpace)
        try await log.seal()
        #expect(disk.freeBytes < Self.reserve)
        try await log.close()
        let again = try open()
        #expect(again.report.notes.isEmpty && again.report.faults.isEmpty)
        #expect(try again.snapshot().count().events == 20)
        try await again.close()
    }

    @Test("what an append takes is never more than was asked for")
    func estimate() async throws {
        let log = try open()
        var random = SeededRandom(seed: 3)
        for number in 1...40 {
            let buckets = (0..<Int.random(in: 1...400, using: &random)).map { _ in
                Int.random(in: 0...90, using: &random)
            }
            let batch = TestBatch(1_000 * number, buckets: buckets, padding: number * 3, key: number)
            let plan = CommitPlan(
                [PendingAppend(batch.lines, delivery: batch.delivery)],
                after: DeliveryMemory(resolution: .tenMinutes), nextSequence: Sequence(1), horizon: .earliest,
                resolution: .tenMinutes, now: environment.clock.now)
            let before = disk.freeBytes
            #expect(await append(batch, to: log) == nil)
            #expect(before - disk.freeBytes <= UInt64(plan.storedBytes), "\(batch)")
        }
        try await log.close()
    }

    @Test("the file system is asked once a second, or after so many bytes, or before a refusal")
    func asked() throws {
        disk.freeBytes = 1 << 30
        let room = WriteRoom(disk, "/", leaving: 0)
        func asks(_ bytes: Int, at now: UInt64) -> (count: Int, isRefused: Bool) {
            let before = disk.calls(of: .freeBytes)
            do throws(StoreError) {
                try room.take(bytes, appends: 1, leaving: 1 << 20, now: now)
                return (disk.calls(of: .freeBytes) - before, false)
            } catch {
                #expect(error.code == .noSpace)
                return (disk.calls(of: .freeBytes) - before, true)
            }
        }
        #expect(asks(1_000, at: 10_000) == (1, false))
        #expect(asks(1_000, at: 10_999) == (0, false))
        #expect(asks(1_000, at: 11_000) == (1, false))
        #expect(asks(1_000, at: 10_500) == (1, false), "the clock went back")
        #expect(asks(16 << 20, at: 10_500) == (0, false))
        #expect(asks(1_000, at: 10_500) == (1, false))
        disk.freeBytes = 1 << 20
        #expect(asks(1_000, at: 10_500) == (0, false), "not seen yet")
        #expect(asks(1_000, at: 12_000) == (1, true))
        #expect(asks(1_000, at: 12_000) == (1, true))
        #expect(asks(0, at: 12_000) == (0, false))
        disk.freeBytes = (1 << 20) + 1_000
        #expect(asks(1_000, at: 12_000) == (1, false))
        #expect(asks(1, at: 12_000) == (1, false), "a virtual disk is not written to here")
    }

    @Test("where the file system cannot be asked, appends go on")
    func unknown() async throws {
        let log = try open()
        disk.fail(.freeBytes, at: disk.calls(of: .freeBytes) + 1, with: .inputOutput)
        #expect(await append(TestBatch(1, buckets: [1]), to: log) == nil)
        try await log.close()
    }

    @Test("a disk that fills up in the midst of a batch loses nothing acknowledged and keeps nothing refused")
    func fillsUp() async throws {
        for room in stride(from: 0 as UInt64, to: 1_200, by: 37) {
            let disk = VirtualDisk()
            var options = LogOptions()
            options.reserveBytes = 0
            var reference = ReferenceLog()
            let log = try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
            for number in 1...6 {
                // What was asked for before is believed for a second.
                if number == 2 { disk.freeBytes = room }
                if number == 5 { disk.freeBytes = 1 << 20 }
                let batch = TestBatch(100 * number, buckets: [3, 1, number, 2], padding: 20 * number)
                guard let outcome = try? await log.append(batch.lines, delivery: nil) else { continue }
                reference.append(batch.events, firstSequence: outcome.firstSequence)
            }
            #expect(reference.entries.count >= 12, "the first, and those for which there was room again")
            #expect(try readAll(log.snapshot(), ScanRequest(order: .arrival)).events == reference.entries.map(\.read))
            let cut = disk.copy().powerLoss(seed: room, mode: .dropAll)
            try await log.close()
            let again = try EventLog.open(dataDirectory, options: options, environment: environment.on(cut))
            #expect(try readAll(again.snapshot(), ScanRequest(order: .arrival)).events == reference.entries.map(\.read))
            try await again.close()
        }
    }
}
