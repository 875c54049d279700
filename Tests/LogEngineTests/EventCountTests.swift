import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Counts and tags, from metadata")
struct EventCountTests {
    /// Segments that lie in a row, one that reaches far back, one of a single bucket; blocks with and without
    /// late events.
    private func mixedLog() async throws -> ScannedLog {
        var scanned = try ScannedLog()
        for (index, buckets) in [[1, 1, 2], [2, 3], [3, 1, 5, 3], [6], [7, 7, 0, 8], [8, 8], [9, 12]].enumerated() {
            try await scanned.append(TestBatch(10 * index, buckets: buckets))
            if [1, 2, 4, 5].contains(index) { try await scanned.log.seal() }
        }
        return scanned
    }

    @Test("every range holds what a scan of it delivers, wherever its ends lie")
    func ranges() async throws {
        let scanned = try await mixedLog()
        let times = (0...13).map { Bucket.ofTest($0).milliseconds }
        let ends = [0, .max] + times + times.map { $0 + 1 }
        for from in ends {
            for to in ends where to >= from {
                try expectMetadata(scanned.log.snapshot(), scanned.reference, from...to)
            }
        }
        try await scanned.log.close()
    }

    @Test("events before the horizon do not count, in whichever part of a block or segment it falls")
    func horizon() async throws {
        let scanned = try await mixedLog()
        for horizon in 0...13 {
            let snapshot = try scanned.snapshot { $0.horizon = .ofTest(horizon) }
            for from in [0, 3, 8, 12] {
                let range = Bucket.ofTest(from).milliseconds...Bucket.ofTest(12).milliseconds
                try expectMetadata(snapshot, scanned.reference, range, "horizon \(horizon)")
            }
            try expectLast(snapshot, scanned.reference, "horizon \(horizon)")
        }
        try await scanned.log.close()
    }

    @Test("a store without events counts none")
    func empty() async throws {
        let scanned = try ScannedLog()
        #expect(try scanned.log.snapshot().count() == EventCount(events: 0, isComplete: true))
        #expect(try scanned.log.snapshot().last() == nil)
        #expect(try scanned.log.snapshot().days() == DayReport(days: [], next: nil, isComplete: true))
        try await scanned.log.close()
    }

    @Test("a whole segment costs no read at all, and a block that straddles an end costs its meta alone")
    func reads() async throws {
        var scanned = try ScannedLog()
        for segment in 0..<4 {
            for block in 0..<8 {
                let first = 100 * segment + 10 * block
                try await scanned.append(TestBatch(first, buckets: [first, first + 1, first + 2], padding: 3_000))
            }
            try await scanned.log.seal()
        }
        let snapshot = scanned.log.snapshot()
        func cost(_ range: ClosedRange<UInt64>) throws -> Int {
            let before = scanned.disk.calls(of: .read)
            _ = try snapshot.count(in: range)
            return scanned.disk.calls(of: .read) - before
        }
        #expect(try cost(0...UInt64.max) == 0)
        let from = Bucket.ofTest(131).milliseconds
        #expect(try cost(from...UInt64.max) <= 5, "the head, the seal, and one meta")
        #expect(try cost(from...UInt64.max) <= 2, "one meta")
        try await scanned.log.close()
    }

    // MARK: - Damage

    @Test("of a damaged store the good blocks are counted, as a scan delivers them", arguments: 0..<2)
    func damaged(_ which: Int) async throws {
        let path = [SmallStore.sealedPath, SmallStore.activePath][which]
        let store = try await SmallStore.make()
        let bytes = try #require(store.disk.contents(path))
        let range = Bucket.ofTest(2).milliseconds...UInt64.max
        for byte in bytes.indices {
            store.disk.flipBit(path, byte * 8 + byte % 8)
            let log = try EventLog.open(
                dataDirectory, options: LogOptions(), environment: store.environment.on(store.disk.copy()))
            for range in [0...UInt64.max, range] {
                let (events, summary) = try readAll(log.snapshot(), ScanRequest(range: range, order: .arrival))
                let count = try log.snapshot().count(in: range)
                // A fault that no metadata shows costs events that are counted, and it is known by now.
                #expect(count.events >= events.count && (summary.isComplete || !count.isComplete), "byte \(byte)")
                if range.lowerBound == 0 {
                    #expect(log.snapshot().lastSequence == events.last?.sequence, "byte \(byte)")
                }
                if which == 1 { #expect(count.events == events.count, "byte \(byte)") }
                #expect(try (log.snapshot().tag(of: range) == nil) == !count.isComplete)
            }
            try await log.close()
            store.disk.replace(path, bytes)
        }
    }

    @Test("a segment whose file is missing counts nothing, and it is said")
    func missing() async throws {
        let store = try await SmallStore.make()
        try store.disk.remove(SmallStore.sealedPath)
        let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: store.settings)
        #expect(try log.snapshot().count() == EventCount(events: 2, isComplete: false))
        #expect(try readAll(log.snapshot()).events.count == 2)
        try await log.close()
    }

    @Test("totals that no segment can have are added up without a trap")
    func hostileTotals() async throws {
        let scanned = try await mixedLog()
        let snapshot = scanned.log.snapshot()
        var entries = snapshot.sealed.entries
        for index in entries.indices {
            (entries[index].lines, entries[index].rawBytes) = (.max, .max)
        }
        let manifest = try #require(ManifestReading.read(snapshot.access.layout, scanned.disk).ruling)
        let hostile = LogSnapshot(
            manifest: manifest, sealed: SealedSegments(entries), active: snapshot.active, access: snapshot.access)
        #expect(try hostile.count().events > 1 << 40)
        #expect(try hostile.days().days.count == 1)
        try await scanned.log.close()
    }

    // MARK: - Tags

    @Test("a tag is the same as long as the same events are in range, however they are stored")
    func tags() async throws {
        var scanned = try await mixedLog()
        let range = Bucket.ofTest(2).milliseconds...Bucket.ofTest(8).milliseconds
        let first = try #require(try scanned.log.snapshot().tag(of: range))
        try await scanned.append(TestBatch(200, buckets: [1, 9, 13]))
        #expect(try scanned.log.snapshot().tag(of: range) == first, "beside the range")
        try await scanned.log.seal()
        #expect(try scanned.log.snapshot().tag(of: range) == first, "sealed")
        #expect(try scanned.snapshot { $0.horizon = .ofTest(2) }.tag(of: range) == first, "nothing of it purged")

        var tags = [first]
        for (index, bucket) in [2, 5, 8].enumerated() {
            try await scanned.append(TestBatch(300 + index, buckets: [0, bucket, 13]))
            tags.append(try #require(try scanned.log.snapshot().tag(of: range)))
        }
        for horizon in [3, 4, 6, 9] {
            tags.append(try #require(try scanned.snapshot { $0.horizon = .ofTest(horizon) }.tag(of: range)))
        }
        tags.append(try #require(try scanned.snapshot { $0.eraseCount += 1 }.tag(of: range)))
        #expect(Set(tags).count == tags.count)
        try await scanned.log.close()
    }

    @Test("as many events gone as came make another tag")
    func tagOfSwapped() async throws {
        var scanned = try ScannedLog()
        try await scanned.append(TestBatch(10, buckets: [1, 2, 3]))
        let range = Bucket.ofTest(1).milliseconds...Bucket.ofTest(3).milliseconds
        let before = try scanned.log.snapshot().tag(of: range)
        try await scanned.append(TestBatch(20, buckets: [2]))
        let purged = try scanned.snapshot { $0.horizon = .ofTest(2) }
        #expect(try purged.count(in: range).events == 3)
        #expect(try purged.tag(of: range) != before)
        try await scanned.log.close()
    }

    @Test("stores, and ranges, with the same events have tags of their own")
    func tagsOfOthers() async throws {
        var (one, other) = (try ScannedLog(seed: 1), try ScannedLog(seed: 2))
        try await one.append(TestBatch(10, buckets: [1]))
        try await other.append(TestBatch(10, buckets: [1]))
        #expect(try one.log.snapshot().tag() != other.log.snapshot().tag())
        #expect(try one.log.snapshot().tag() != one.log.snapshot().tag(of: 1...UInt64.max))
        try await one.log.close()
        try await other.log.close()
    }
}
