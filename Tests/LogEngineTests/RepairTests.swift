import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// V9: manifests from heads and seals.
@Suite("Repair")
struct RepairTests {
    private let environment = TestEnvironment()
    private let root = "/data/interactions"

    /// A store with two sealed segments and an active one, as a crash leaves it.
    private func crashedStore(closing: Bool = false) async throws -> VirtualDisk {
        let disk = VirtualDisk()
        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        for number in 0..<3 {
            let batch = TestBatch(number * 10, buckets: [number, number + 1], key: number)
            _ = try await log.append(batch.lines, delivery: batch.delivery)
            if number < 2 { try await log.seal() }
        }
        if closing { try await log.close() }
        return disk.processCrash()
    }

    private func breakManifests(_ disk: VirtualDisk) {
        for slot in 0..<2 { disk.flipBit("\(root)/MANIFEST.\(slot)", 300) }
    }

    private func lines(_ snapshot: LogSnapshot) throws -> [ReadEvent] {
        var events: [ReadEvent] = []
        let scan = try Scan(snapshot, ScanRequest(order: .arrival))
        while let chunk = try scan.next() {
            chunk.forEachLine { events.append(ReadEvent(sequence: $1, line: $0)) }
        }
        #expect(scan.summary.isComplete)
        return events
    }

    @Test("a repaired store serves every event, once, and gives out no sequence again", arguments: [true, false])
    func servesEverything(closing: Bool) async throws {
        let disk = try await crashedStore(closing: closing)
        breakManifests(disk)
        #expect(throws: StoreError.self) {
            try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        }
        let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(report.segments == 3 && report.lines == 6)

        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        let found = try lines(log.snapshot())
        #expect(found.map(\.sequence.value).prefix(6) == [1, 2, 3, 4, 5, 6])
        let outcome = try await log.append(TestBatch(90, buckets: [5]).lines, delivery: nil)
        #expect(outcome.firstSequence.value > 1 << 20)
        try await log.close()
        let verified = try StoreReader.verify(
            "/data", options: LogOptions(), environment: environment.on(disk)
        ) { _ in }
        #expect(verified.isSound, "\(verified.faults)")
    }

    @Test("a segment that another one replaces is left out, and the highest horizon counts")
    func doesNotResurrect() async throws {
        let disk = try await crashedStore()
        let path = "\(root)/hot/00000000000000000002.ndjson.lz4"
        let first = try #require(disk.contents("\(root)/hot/00000000000000000001.ndjson.lz4"))
        var (head, _) = try first.decoded(SegmentHead.decode)
        head.segment = SegmentNumber(2)
        head.replaced = [SegmentNumber(1)]
        head.horizon = .ofTest(1)
        let totals = SegmentTotals(startingAt: Sequence(3))
        let bytes = head.encoded()
        let hash = RunningHash(seed: head.salt.value)
        hash.update(bytes)
        let seal = Seal(
            segment: head.segment, totals: totals, index: [], keyed: [], sourced: [], fileHash: hash.wide)
        disk.replace(path, bytes + seal.encoded(salt: head.salt))
        breakManifests(disk)

        let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(report.notes.contains { $0.contains("00000000000000000001.ndjson.lz4 was replaced") })
        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(log.horizon == .ofTest(1))
        #expect(try lines(log.snapshot()).count == 2)
    }

    @Test("a copy without the directories that were empty is repaired, and then opened")
    func copyWithoutEmptyDirectories() async throws {
        let disk = try await crashedStore()
        let copy = VirtualDisk()
        for directory in ["/data", root, "\(root)/hot"] { try copy.makeDirectory(directory) }
        for path in disk.paths where path.hasPrefix("\(root)/hot/") {
            copy.replace(path, try #require(disk.contents(path)))
        }
        let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(copy))
        #expect(report.segments == 3 && report.lines == 6)
        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(copy))
        #expect(try lines(log.snapshot()).count == 6)
    }

    @Test("where there is no store, none is made")
    func missing() throws {
        let disk = VirtualDisk()
        try disk.makeDirectory("/data")
        try disk.makeDirectory(root)
        let error = #expect(throws: StoreError.self) {
            try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        }
        #expect(error?.code == .missing)
        #expect(disk.paths.isEmpty)
    }

    @Test("a store with a valid manifest is not repaired")
    func refusesSoundStores() async throws {
        let disk = try await crashedStore()
        let error = #expect(throws: StoreError.self) {
            try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        }
        #expect(error?.code == .mismatch)
    }
}
