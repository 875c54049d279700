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

    // MARK: - Segments that others replace

    /// A closed store of two sealed hot segments and an active one; the sealed ones are compacted, and the files
    /// of the inputs are there again if `keeping` says so.
    private func compactedStore(keeping: Set<Int>) async throws -> VirtualDisk {
        let disk = try await crashedStore(closing: true)
        var hand = HandCompaction(disk: disk, environment: environment)
        hand.segmentLines = 2
        let inputs = (1...2).map { hand.layout.hotSegment(SegmentNumber(UInt64($0))) }
        let kept = inputs.map { disk.contents($0) }
        try hand.compact([SegmentNumber(1), SegmentNumber(2)])
        for number in keeping { disk.replace(inputs[number - 1], try #require(kept[number - 1])) }
        breakManifests(disk)
        return disk
    }

    @Test(
        "a compaction that may not have been finished is left out, one that was takes the place of its inputs",
        arguments: [[], [1], [2], [1, 2]] as [Set<Int>])
    func compaction(keeping: Set<Int>) async throws {
        let disk = try await compactedStore(keeping: keeping)
        let before = disk.paths
        let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(report.segments == 3 && report.lines == 6 && disk.paths == before)
        let leftOut = report.notes.filter { $0.contains("left out") }
        #expect(leftOut.count == (keeping.count == 2 ? 2 : keeping.count))
        #expect(leftOut.allSatisfy { $0.contains(keeping.count == 2 ? "/cold/" : "/hot/") })

        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(try lines(log.snapshot()).map(\.sequence.value) == [1, 2, 3, 4, 5, 6])
        #expect(log.report.notes.count { $0.contains("is removed") } == leftOut.count)
        try await log.close()
        let verified = try StoreReader.verify(
            "/data", options: LogOptions(), environment: environment.on(disk)
        ) { _ in }
        #expect(verified.isSound && verified.lines == 6, "\(verified.faults)")
    }

    @Test("of two compactions one after the other each event is served once, whatever files are left")
    func chain() async throws {
        let disk = try await crashedStore(closing: true)
        var hand = HandCompaction(disk: disk, environment: environment)
        var files: [String: [UInt8]] = [:]
        func remember() { for path in disk.paths { files[path] = disk.contents(path) } }
        remember()
        hand.segmentLines = 1
        let first = try hand.compact([SegmentNumber(1)])
        remember()
        try hand.compact([first[0].segment, SegmentNumber(2)])
        remember()
        breakManifests(disk)
        // In the order of their removal: a pass's inputs go before those of a later one.
        let dead = [
            hand.layout.hotSegment(SegmentNumber(1)), hand.layout.hotSegment(SegmentNumber(2)),
            hand.layout.path(of: first[0]),
        ]
        for gone in 0...3 {
            let copy = disk.copy()
            for path in dead.dropFirst(gone) { copy.replace(path, try #require(files[path])) }
            let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(copy))
            #expect(report.lines == 6, "\(gone) gone: \(report.notes)")
            let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(copy))
            #expect(try lines(log.snapshot()).map(\.sequence.value) == [1, 2, 3, 4, 5, 6], "\(gone) gone")
            try await log.close()
        }
    }

    @Test("the highest horizon of any head counts")
    func horizon() async throws {
        let disk = try await crashedStore(closing: true)
        let hand = HandCompaction(disk: disk, environment: environment)
        var manifest = try hand.manifest()
        manifest.horizon = .ofTest(1)
        _ = try hand.write([SegmentNumber(1)], of: manifest)
        breakManifests(disk)
        _ = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(try hand.manifest().horizon == .ofTest(1))
    }

    @Test("a segment without a readable head is put aside: the next writer does not take it for one that is dead")
    func putAside() async throws {
        let disk = try await crashedStore()
        let path = "\(root)/hot/00000000000000000001.ndjson.lz4"
        disk.flipBit(path, 200)
        let bytes = try #require(disk.contents(path))
        breakManifests(disk)
        let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(report.segments == 2 && report.lines == 4)
        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(try lines(log.snapshot()).map(\.sequence.value) == [3, 4, 5, 6])
        let now = Resolution.tenMinutes.bucket(of: environment.clock.now).milliseconds
        let aside = "\(root)/damaged/\(now)-00000000000000000001.ndjson.lz4"
        #expect(disk.contents(aside) == bytes && disk.contents(path) == nil)
        var options = PurgeOptions()
        options.policy = RetentionPolicy(maxAgeMilliseconds: KeptLog.day)
        _ = try await log.purge(options)
        #expect(disk.contents(aside) == bytes)
        environment.clock.advance(by: KeptLog.day + 600_000)
        _ = try await log.purge(options)
        #expect(disk.contents(aside) == nil)
        try await log.close()
    }

    @Test("a damaged cold segment is listed as that, and its good blocks are served")
    func damagedCold() async throws {
        let disk = try await crashedStore(closing: true)
        var hand = HandCompaction(disk: disk, environment: environment)
        hand.blockLines = 1
        let entry = try #require(try hand.compact([SegmentNumber(1), SegmentNumber(2)]).first)
        let path = hand.layout.path(of: entry)
        let dump = try SegmentDump.read(path, environment: environment.on(disk))
        let second = dump.blocks[1]
        disk.flipBit(path, Int(dump.blocks[2].offset) * 8 - 100)
        breakManifests(disk)
        let report = try StoreReader.repair("/data", options: LogOptions(), environment: environment.on(disk))
        #expect(report.lines == 5 && report.notes.contains { $0.contains("is damaged") })
        let log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        let found = try readAll(log.snapshot(), ScanRequest(order: .arrival))
        #expect(found.events.map(\.sequence) == (1...6).map { Sequence($0) }.filter { $0 != second.meta.firstSequence })
        #expect(!found.summary.isComplete)
        try await log.close()
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
