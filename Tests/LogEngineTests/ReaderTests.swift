import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Readers without the lock")
struct ReaderTests {
    private let environment = TestEnvironment()

    private func open(_ disk: VirtualDisk) throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    private func read(_ disk: VirtualDisk) throws(StoreError) -> [ReadEvent] {
        let (snapshot, _) = try StoreReader.snapshot(
            of: dataDirectory, options: LogOptions(), environment: environment.on(disk))
        return try readAll(snapshot, ScanRequest(order: .arrival)).events
    }

    @Test("a reader sees each commit once it is acknowledged, across seals, and after a clean close")
    func besideWriter() async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        #expect(try read(disk).isEmpty)
        for number in 1...6 {
            _ = try await log.append(TestBatch(10 * number, buckets: [number, 3]).lines, delivery: nil)
            #expect(try read(disk) == readAll(log.snapshot(), ScanRequest(order: .arrival)).events)
            if number % 2 == 0 { try await log.seal() }
            #expect(try read(disk).count == 2 * number)
        }
        try await log.close()
        #expect(try read(disk).count == 12)
    }

    @Test("bytes behind the active mark are not shown, be they whole commits or torn")
    func behindMark() async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
        let mark = try #require(disk.contents("/data/interactions/hot/ACTIVE"))
        let durable = try mark.decoded(ActiveMark.decode).length
        _ = try await log.append(TestBatch(20, buckets: [2]).lines, delivery: nil)
        let whole = try #require(disk.contents(SmallStore.sealedPath))
        disk.replace("/data/interactions/hot/ACTIVE", mark)
        for count in stride(from: whole.count, to: 0, by: -1) {
            disk.replace(SmallStore.sealedPath, Array(whole[..<count]))
            #expect(try read(disk).count == (UInt64(count) < durable ? 0 : 1), "\(count) bytes")
        }
        disk.replace(SmallStore.sealedPath, whole)
        try await log.close()
    }

    @Test("a writer killed at any operation of a seal leaves a store that a reader can read")
    func killedInSeal() async throws {
        for cut in 1...24 {
            let disk = VirtualDisk()
            let log = try open(disk)
            _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
            disk.stop(at: disk.operations + cut)
            do throws(StoreError) { try await log.seal() } catch { #expect(error.code == .disk) }
            let next = disk.processCrash()
            next.clearFaults()
            #expect(throws: Never.self, "cut at operation \(cut) of the seal") { try #expect(read(next).count == 1) }
            try? await log.close()
        }
    }

    @Test("what is compacted away beside a reader can be read to its end")
    func compactedMeanwhile() async throws {
        let store = try await SmallStore.make()
        let (snapshot, _) = try StoreReader.snapshot(
            of: dataDirectory, options: LogOptions(), environment: store.settings)
        try HandCompaction(disk: store.disk, environment: store.environment).compact([SegmentNumber(1)])
        #expect(store.disk.contents(SmallStore.sealedPath) == nil)
        for _ in 0..<2 {
            let found = try readAll(snapshot, ScanRequest(order: .arrival))
            #expect(found.events == store.events && found.summary.isComplete)
        }
    }

    @Test(
        "only so many files are held, hot ones first; of the others it is known whether they are there",
        arguments: 0...4)
    func heldFiles(_ most: Int) async throws {
        let store = try await SmallStore.make(holding: SmallStore.coldPath)
        let hand = HandCompaction(disk: store.disk, environment: store.environment)
        var entries = try hand.manifest().segments
        var hot = entries[0]
        (hot.segment, hot.day) = (SegmentNumber(2), nil)
        var missing = entries[0]
        missing.segment = SegmentNumber(9)
        entries += [missing, hot]
        let found = try StoreReader.open(entries, hand.layout, store.disk, atMost: most)
        #expect(found.missing == [hand.layout.path(of: missing)])
        #expect(
            Set(found.held.keys) == (most == 0 ? [] : most == 1 ? [hot.segment] : [hot.segment, entries[0].segment]))
    }

    @Test("a seal that the disk has no room for takes nothing away from readers", arguments: 1...5)
    func fullDiskInSeal(_ number: Int) async throws {
        let disk = VirtualDisk()
        let log = try open(disk)
        _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
        disk.fail(.write, at: disk.calls(of: .write) + number, with: .noSpace)
        do throws(StoreError) { try await log.seal() } catch { #expect([.noSpace, .poisoned].contains(error.code)) }
        #expect(try readAll(log.snapshot()).events.count == 1, "write \(number) of the seal failed")
        try? await log.close()
    }
}
