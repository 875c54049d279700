import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("The last event")
struct LastEventTests {
    @Test("it is of the highest bucket, and of those the newest, wherever it lies")
    func last() async throws {
        var scanned = try ScannedLog()
        let batches = [[3], [3, 2], [5, 1, 5, 4], [5], [4], [1, 5, 2], [9, 8], [8, 9, 9], [1]]
        for (index, buckets) in batches.enumerated() {
            try await scanned.append(TestBatch(10 * index, buckets: buckets))
            try expectLast(scanned.log.snapshot(), scanned.reference, "\(buckets)")
            if index % 3 == 2 { try await scanned.log.seal() }
            try expectLast(scanned.log.snapshot(), scanned.reference, "\(buckets), sealed")
        }
        try await scanned.log.close()
    }

    @Test(
        "a line is found whole, however many LZ4 blocks it fills and wherever it begins",
        arguments: [10, 65_400, 65_535, 65_536, 65_600, 131_072, 200_000, 900_000])
    func longLine(_ padding: Int) async throws {
        var scanned = try ScannedLog()
        for before in [0, 1, 70_000] {
            let events = [
                TestEvent(before, bucket: .ofTest(1), padding: before),
                TestEvent(before + 1, bucket: .ofTest(2), padding: padding),
            ]
            try await scanned.append(TestBatch(before, events))
            try expectLast(scanned.log.snapshot(), scanned.reference, "\(before)")
        }
        try await scanned.log.close()
    }

    @Test("where its block is damaged the next best is found, down to none, and it is said")
    func damaged() async throws {
        var scanned = try ScannedLog()
        for (index, buckets) in [[1, 2], [5, 3], [4], [5]].enumerated() {
            try await scanned.append(TestBatch(10 * index, buckets: buckets))
        }
        try await scanned.log.seal()
        let dump = try SegmentDump.read(SmallStore.sealedPath, environment: TestEnvironment().on(scanned.disk))
        var expected: [UInt64?] = [6, 3, 5, 2, nil]
        for block in [nil, 3, 1, 2, 0] {
            if let block { scanned.disk.flipBit(SmallStore.sealedPath, Int(dump.blocks[block].offset) * 8 + 400) }
            let (snapshot, _) = try StoreReader.snapshot(
                of: dataDirectory, options: LogOptions(), environment: TestEnvironment().on(scanned.disk))
            #expect(try snapshot.last()?.sequence.value == expected.removeFirst())
            #expect(snapshot.faults.isEmpty == (block == nil))
        }
        try await scanned.log.close()
    }

    @Test("of sealed segments that end in one bucket the newest counts, also above what a damaged one has left")
    func newestSegment() async throws {
        var scanned = try ScannedLog()
        for (index, batches) in [[[5]], [[5], [9]], [[5]]].enumerated() {
            for (number, buckets) in batches.enumerated() {
                try await scanned.append(TestBatch(10 * index + number, buckets: buckets))
            }
            try await scanned.log.seal()
        }
        try expectLast(scanned.log.snapshot(), scanned.reference, "undamaged")
        let environment = TestEnvironment().on(scanned.disk)
        let path = scanned.log.snapshot().segments[1].path
        let highest = try SegmentDump.read(path, environment: environment).blocks[1]
        scanned.disk.flipBit(path, Int(highest.offset) * 8 + 400)
        let (snapshot, _) = try StoreReader.snapshot(
            of: dataDirectory, options: LogOptions(), environment: environment)
        #expect(try snapshot.last()?.sequence == Sequence(4))
        try await scanned.log.close()
    }
}
