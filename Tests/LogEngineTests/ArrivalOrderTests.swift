import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// M6: blocks whose sequences overlap.
@Suite("Scans in order of arrival over cold segments")
struct ArrivalOrderTests {
    /// Events of random buckets in small batches, then compacted into generations whose sequences overlap; more
    /// come behind them.
    private func store(
        _ count: Int, buckets: Int, seed: UInt64, padding: (inout SeededRandom) -> Int
    ) async throws -> (snapshot: LogSnapshot, reference: ReferenceLog) {
        var random = SeededRandom(seed: seed)
        var scanned = try ScannedLog(seed: seed)
        for start in stride(from: 0, to: count, by: 40) {
            let events = (start..<start + 40).map { number in
                TestEvent(
                    number, bucket: .ofTest(Int.random(in: 0..<buckets, using: &random)), padding: padding(&random))
            }
            try await scanned.append(TestBatch(start, events))
            if random.oneIn(4) { try await scanned.log.seal() }
        }
        try await scanned.log.close()
        var hand = HandCompaction(disk: scanned.disk, environment: TestEnvironment(seed: seed + 1))
        hand.blockLines = 70
        for _ in 0..<3 {
            try hand.compact(Set(hand.manifest().segments.map(\.segment).filter { _ in random.oneIn(2) }))
        }
        let (snapshot, _) = try StoreReader.snapshot(
            of: dataDirectory, options: LogOptions(), environment: TestEnvironment().on(scanned.disk))
        return (snapshot, scanned.reference)
    }

    private func crowd(_ snapshot: LogSnapshot) -> [ScanLease] { (0..<20).map { _ in snapshot.access.pool.lease() } }

    private func scan(_ snapshot: LogSnapshot, _ order: ScanRequest.Order) throws -> (events: [ReadEvent], largest: Int)
    {
        let scan = try Scan(snapshot, ScanRequest(order: order))
        var events: [ReadEvent] = []
        var largest = 0
        while let chunk = try scan.next() {
            largest = max(largest, chunk.bytes.count)
            chunk.forEachLine { events.append(ReadEvent(sequence: $1, line: $0)) }
        }
        #expect(scan.summary.isComplete)
        return (events, largest)
    }

    private func pages(_ snapshot: LogSnapshot, _ request: ScanRequest) throws -> [ReadEvent] {
        var request = request
        var events: [ReadEvent] = []
        while true {
            let page = try readAll(snapshot, request)
            events += page.events
            guard let cursor = page.summary.cursor else { return events }
            request.cursor = cursor
        }
    }

    @Test(
        "lines far beyond the budget come in both orders, in small chunks, by pages and as frames", arguments: 1...2)
    func windows(seed: UInt64) async throws {
        let (snapshot, reference) = try await store(4_000, buckets: 300, seed: seed) { _ in 300 }
        #expect(snapshot.segments.count { $0.isCold } > 2)
        let leases = crowd(snapshot)
        for order in ScanRequest.Order.allCases {
            let found = try scan(snapshot, order)
            #expect(found.events == reference.scan(order: order), "\(order)")
            #expect(found.largest <= Bounds.scanChunk + 70 * 400, "\(order)")
            for size in [397, 1_500] {
                let request = ScanRequest(order: order, limit: size)
                #expect(try pages(snapshot, request) == reference.scan(order: order), "\(order), pages of \(size)")
            }
        }
        let frames = try readFrames(snapshot, ScanRequest(order: .arrival))
        #expect(frames.text == reference.entries.text && frames.summary.isComplete)
        #expect(frames.chunks.allSatisfy { $0.bytes.count < 2 * Bounds.scanChunk })
        let range = Bucket.ofTest(50).milliseconds...Bucket.ofTest(90).milliseconds
        for after in [0, 1, 1_999, 2_000, 3_999] as [UInt64] {
            let request = ScanRequest(range: range, order: .arrival, after: Sequence(after))
            let expected = reference.scan(range, order: .arrival, after: Sequence(after))
            #expect(try readAll(snapshot, request).events == expected, "after \(after)")
        }
        withExtendedLifetime(leases) {}
    }

    @Test("lines of very different length: what does not fit after all is gathered again", arguments: 1...4)
    func uneven(seed: UInt64) async throws {
        let (snapshot, reference) = try await store(1_200, buckets: 300, seed: seed) {
            $0.oneIn(30) ? 60_000 : 0
        }
        let leases = crowd(snapshot)
        for order in ScanRequest.Order.allCases {
            #expect(try scan(snapshot, order).events == reference.scan(order: order), "\(order)")
        }
        withExtendedLifetime(leases) {}
    }

    @Test("one bucket beyond the budget, spread over generations, comes by sequence", arguments: 1...4)
    func largeBucket(seed: UInt64) async throws {
        let (snapshot, reference) = try await store(3_000, buckets: 3, seed: seed) { _ in 300 }
        let leases = crowd(snapshot)
        let sorted = reference.scan(order: .time)
        #expect(try scan(snapshot, .time).events == sorted)
        #expect(try pages(snapshot, ScanRequest(limit: 111)) == sorted)
        withExtendedLifetime(leases) {}
    }

    @Test("a cold segment alone streams in order of time: nothing is gathered, no memory leased")
    func streams() async throws {
        let store = try await SmallStore.make(holding: SmallStore.coldPath)
        let (snapshot, _) = try StoreReader.snapshot(
            of: dataDirectory, options: LogOptions(), environment: store.settings)
        let pool = snapshot.access.pool
        let held = (0..<3).map { _ in pool.lease() }
        let free = pool.lease().bytes
        let range = 0...Bucket.ofTest(3).milliseconds
        let scan = try Scan(snapshot, ScanRequest(range: range))
        var sequences: [UInt64] = []
        while let chunk = try scan.next() {
            #expect(pool.lease().bytes == free)
            chunk.forEachLine { sequences.append($1.value) }
        }
        #expect(sequences == [2, 3, 4, 5, 1])
        withExtendedLifetime(held) {}
    }

    @Test("events that came after the first page stay out of the next, though they were compacted with its own")
    func pinned() async throws {
        let disk = VirtualDisk()
        let environment = TestEnvironment()
        var reference = ReferenceLog()
        func append(_ number: Int, buckets: [Int]) async throws -> EventLog {
            let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
            let batch = TestBatch(number, buckets: buckets)
            let outcome = try await log.append(batch.lines, delivery: nil)
            if number < 50 { reference.append(batch.events, firstSequence: outcome.firstSequence) }
            try await log.seal()
            return log
        }
        for order in ScanRequest.Order.allCases {
            reference = ReferenceLog()
            for path in disk.paths { try disk.remove(path) }
            var log = try await append(10, buckets: [3, 1, 2, 3, 1])
            var request = ScanRequest(order: order, limit: 2)
            let first = try readAll(log.snapshot(), request)
            request.cursor = first.summary.cursor
            try await log.close()
            log = try await append(50, buckets: [2, 1, 4, 3])
            try await log.close()
            let hand = HandCompaction(disk: disk, environment: environment)
            try hand.compact(Set(hand.manifest().segments.map(\.segment)))
            let (snapshot, _) = try StoreReader.snapshot(
                of: dataDirectory, options: LogOptions(), environment: environment.on(disk))
            #expect(try first.events + pages(snapshot, request) == reference.scan(order: order), "\(order)")
        }
    }
}
