import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Scans in order of time")
struct TimeOrderTests {
    /// Leases that leave a scan the least it can get.
    private func crowd(_ log: EventLog) -> [ScanLease] {
        let pool = log.snapshot().access.pool
        return (0..<20).map { _ in pool.lease() }
    }

    /// Batches of `size` events whose buckets come from `bucket`.
    private func append(
        _ count: Int, of size: Int, padding: Int = 0, to scanned: inout ScannedLog, _ bucket: (Int) -> Int
    ) async throws(StoreError) {
        for start in stride(from: 0, to: count, by: size) {
            let buckets = (start..<min(start + size, count)).map(bucket)
            try await scanned.append(TestBatch(start, buckets: buckets, padding: padding))
        }
    }

    /// Scans everything; returns the events and the bytes of the largest chunk.
    private func scan(_ scanned: ScannedLog) throws(StoreError) -> (events: [ReadEvent], largest: Int, chunks: Int) {
        let scan = try Scan(scanned.log.snapshot(), ScanRequest())
        var events: [ReadEvent] = []
        var (largest, chunks) = (0, 0)
        while let chunk = try scan.next() {
            largest = max(largest, chunk.bytes.count)
            chunks += 1
            chunk.forEachLine { events.append(ReadEvent(sequence: $1, line: $0)) }
        }
        #expect(scan.summary.isComplete)
        return (events, largest, chunks)
    }

    // MARK: - Windows

    @Test("thousands of shuffled lines come sorted, in few chunks with room and in many small ones without")
    func shuffled() async throws {
        var random = SeededRandom(seed: 1)
        var scanned = try ScannedLog()
        try await append(3_000, of: 60, padding: 300, to: &scanned) { number in
            number == 0 ? 0 : Int.random(in: 0..<200, using: &random)
        }
        let sorted = scanned.reference.scan(order: .time)
        let roomy = try scan(scanned)
        #expect(roomy.events == sorted && roomy.chunks == 1)
        let leases = crowd(scanned.log)
        let crowded = try scan(scanned)
        #expect(crowded.events == sorted)
        #expect(crowded.largest <= Bounds.scanFloor && crowded.chunks > 3)
        withExtendedLifetime(leases) {}
        try await scanned.log.close()
    }

    @Test("blocks that overlap a little come in short windows, however much room there is")
    func overlapping() async throws {
        var scanned = try ScannedLog()
        // Each block shares a bucket with the next one in time, and every other pair came the wrong way round.
        try await append(2_400, of: 40, padding: 1_000, to: &scanned) { number in
            (number / 40 ^ 1) + (number % 40 >= 20 ? 1 : 0)
        }
        let (events, largest, chunks) = try scan(scanned)
        #expect(events == scanned.reference.scan(order: .time))
        #expect(largest <= 2 * Bounds.scanChunk && chunks > 4)
        try await scanned.log.close()
    }

    @Test("a bucket that is larger than a chunk is gathered whole, where the budget has room for it")
    func wholeBuckets() async throws {
        var scanned = try ScannedLog()
        // 400 KB of each bucket, in blocks of which every other pair came the wrong way round.
        try await append(2_400, of: 400, padding: 1_000, to: &scanned) { number in
            (number / 400 ^ 1) + (number % 400 >= 200 ? 1 : 0)
        }
        let scan = try Scan(scanned.log.snapshot(), ScanRequest())
        var (events, last): ([ReadEvent], Bucket) = ([], .earliest)
        while let chunk = try scan.next() {
            let (first, end) = (try #require(chunk.output.runs.first), try #require(chunk.output.runs.last))
            #expect(first.bucket > last, "a chunk ended in \(last)")
            last = end.bucket
            chunk.forEachLine { events.append(ReadEvent(sequence: $1, line: $0)) }
        }
        #expect(events == scanned.reference.scan(order: .time))
        try await scanned.log.close()
    }

    @Test("one line in ten is late: all come sorted, in small chunks")
    func late() async throws {
        var random = SeededRandom(seed: 2)
        var scanned = try ScannedLog()
        try await append(3_000, of: 50, padding: 300, to: &scanned) { number in
            random.oneIn(10) ? Int.random(in: 0...number / 20, using: &random) : number / 20
        }
        let leases = crowd(scanned.log)
        let crowded = try scan(scanned)
        #expect(crowded.events == scanned.reference.scan(order: .time))
        #expect(crowded.largest <= Bounds.scanChunk + 50 * 400)
        withExtendedLifetime(leases) {}
        try await scanned.log.close()
    }

    @Test("a bucket beyond the budget is streamed block by block, and what lies around it comes in order")
    func largeBucket() async throws {
        var scanned = try ScannedLog()
        try await append(2_000, of: 40, padding: 300, to: &scanned) { number in
            number % 10 == 0 ? number % 7 : number % 10 == 1 ? 8 + number % 3 : 7
        }
        let leases = crowd(scanned.log)
        let crowded = try scan(scanned)
        let sorted = scanned.reference.scan(order: .time)
        #expect(crowded.events == sorted)
        #expect(crowded.largest <= Bounds.scanChunk + 40 * 400)
        for size in [37, 1_000] {
            #expect(try scanned.pages(ScanRequest(limit: size)).flatMap { $0 } == sorted, "pages of \(size)")
        }
        withExtendedLifetime(leases) {}
        try await scanned.log.close()
    }

    @Test("a block that begins behind a window's first buckets, beside a later run that did not fit, is not lost")
    func blockBehindTheBound() async throws {
        var scanned = try ScannedLog()
        let wide = TestEvent(1, bucket: .ofTest(5), padding: Bounds.scanFloor)
        try await scanned.append(TestBatch(0, [TestEvent(0, bucket: .ofTest(1)), wide]))
        try await scanned.append(TestBatch(10, buckets: [1, 3]))
        try await scanned.append(TestBatch(20, buckets: [2]))
        let leases = crowd(scanned.log)
        #expect(try scan(scanned).events == scanned.reference.scan(order: .time))
        withExtendedLifetime(leases) {}
        try await scanned.log.close()
    }

    @Test("random blocks, some of long lines, come sorted through small windows and pages", arguments: 1...12)
    func random(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var scanned = try ScannedLog(seed: seed)
        let paddings = [0, 10_000, 60_000, 150_000]
        for number in 0..<30 {
            let from = Int.random(in: 0..<30, using: &random)
            let events = (0..<Int.random(in: 1...4, using: &random)).map { index in
                let bucket = Bucket.ofTest(from + (random.oneIn(3) ? Int.random(in: 0..<9, using: &random) : 0))
                let padding = paddings.randomElement(using: &random) ?? 0
                return TestEvent(10 * number + index, bucket: bucket, padding: padding)
            }
            try await scanned.append(TestBatch(10 * number, events))
            if random.oneIn(8) { try await scanned.log.seal() }
        }
        let leases = crowd(scanned.log)
        let sorted = scanned.reference.scan(order: .time)
        #expect(try scan(scanned).events == sorted, "seed \(seed)")
        let size = Int.random(in: 1...20, using: &random)
        #expect(try scanned.pages(ScanRequest(limit: size)).flatMap { $0 } == sorted, "seed \(seed), pages of \(size)")
        withExtendedLifetime(leases) {}
        try await scanned.log.close()
    }

    @Test("more buckets than can be counted at a time are counted again, in order")
    func manyBuckets() async throws {
        let count = 66_000
        var options = LogOptions()
        options.resolution = .oneMillisecond
        let environment = TestEnvironment().on(VirtualDisk())
        let log = try EventLog.open(dataDirectory, options: options, environment: environment)
        for part in 0..<4 {
            let batch = LineBatch()
            for number in stride(from: part, to: count, by: 4) {
                batch.append("\(number)", bucket: Bucket(milliseconds: UInt64(1_000 + number)))
            }
            _ = try await log.append(batch, delivery: nil)
        }
        let scan = try Scan(log.snapshot(), ScanRequest())
        var bytes: [UInt8] = []
        while let chunk = try scan.next() { bytes += chunk.bytes }
        #expect(bytes == Array((0..<count).map { "\($0)\n" }.joined().utf8))
        try await log.close()
    }

    // MARK: - Streaming

    @Test("blocks that only touch in one bucket stream one by one: nothing is gathered, no memory leased")
    func touching() async throws {
        var scanned = try ScannedLog()
        try await append(1_200, of: 40, padding: 1_000, to: &scanned) { $0 / 40 + ($0 % 40 >= 20 ? 1 : 0) }
        let pool = scanned.log.snapshot().access.pool
        let held = (0..<3).map { _ in pool.lease() }
        let free = pool.lease().bytes
        let scan = try Scan(scanned.log.snapshot(), ScanRequest())
        var (events, chunks): ([ReadEvent], Int) = ([], 0)
        while let chunk = try scan.next() {
            #expect(pool.lease().bytes == free && chunk.bytes.count <= Bounds.scanChunk + 40 * 1_100)
            chunk.forEachLine { events.append(ReadEvent(sequence: $1, line: $0)) }
            chunks += 1
        }
        #expect(events == scanned.reference.scan(order: .time) && chunks > 3)
        withExtendedLifetime(held) {}
        try await scanned.log.close()
    }

    @Test("a window's memory is leased while its lines are out, and given back at the next step")
    func lease() async throws {
        var scanned = try ScannedLog()
        try await append(40, of: 20, to: &scanned) { $0 % 20 }
        let pool = scanned.log.snapshot().access.pool
        let held = (0..<3).map { _ in pool.lease() }
        let free = pool.lease().bytes
        let scan = try Scan(scanned.log.snapshot(), ScanRequest())
        #expect(try scan.next()?.lines == 40)
        #expect(pool.lease().bytes == free / 2)
        #expect(try scan.next() == nil)
        #expect(pool.lease().bytes == free)
        withExtendedLifetime(held) {}
        try await scanned.log.close()
    }
}
