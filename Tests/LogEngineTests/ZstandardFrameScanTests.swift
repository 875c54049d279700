import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// G9: what a client that decodes Zstandard gets.
@Suite("Scans of Zstandard frames")
struct ZstandardFrameScanTests {
    private struct Store {
        let disk: VirtualDisk
        let snapshot: LogSnapshot
        let reference: ReferenceLog
    }

    /// Small batches of events of random buckets, compacted `generations` times, and what came behind them.
    private func store(
        seed: UInt64, count: Int = 400, buckets: Int = 60, generations: Int = 2, padding: Int = 0
    ) async throws -> Store {
        var random = SeededRandom(seed: seed)
        var scanned = try ScannedLog(seed: seed)
        for start in stride(from: 0, to: count, by: 10) {
            let first = random.oneIn(3) ? start * buckets / count : 0
            let events = (start..<start + 10).map { number in
                TestEvent(
                    number, bucket: .ofTest(Int.random(in: first..<buckets, using: &random)), padding: padding)
            }
            try await scanned.append(TestBatch(start, events))
            if random.oneIn(6) { try await scanned.log.seal() }
        }
        try await scanned.log.close()
        var hand = HandCompaction(disk: scanned.disk, environment: TestEnvironment(seed: seed + 1))
        (hand.blockLines, hand.codec) = (7, .zstandard)
        for _ in 0..<generations {
            try hand.compact(Set(hand.manifest().segments.map(\.segment).filter { _ in random.oneIn(2) }))
        }
        return Store(disk: scanned.disk, snapshot: try snapshot(of: scanned.disk), reference: scanned.reference)
    }

    private func snapshot(of disk: VirtualDisk) throws -> LogSnapshot {
        try StoreReader.snapshot(of: dataDirectory, options: LogOptions(), environment: TestEnvironment().on(disk))
            .snapshot
    }

    /// A store of one cold segment, of a day whose blocks have 7 lines, in order of arrival if `isSorted`.
    private func cold(
        isSorted: Bool
    ) async throws -> (store: Store, frames: [[UInt8]], blocks: [(offset: UInt64, meta: BlockMeta)]) {
        var scanned = try ScannedLog()
        for number in 0..<9 {
            let buckets = (0..<10).map { isSorted ? number : ($0 * 7 + number) % 20 }
            try await scanned.append(TestBatch(10 * number, buckets: buckets))
        }
        try await scanned.log.seal()
        try await scanned.log.close()
        var hand = HandCompaction(disk: scanned.disk, environment: TestEnvironment())
        (hand.blockLines, hand.codec) = (7, .zstandard)
        let entry = try #require(hand.compact([SegmentNumber(1)]).first)
        let path = hand.layout.path(of: entry)
        let dump = try SegmentDump.read(path, environment: TestEnvironment().on(scanned.disk))
        let file = try #require(scanned.disk.contents(path))
        let ends = dump.blocks.dropFirst().map(\.offset) + [try #require(dump.sealOffset)]
        let frames = zip(dump.blocks, ends).map { block, end in Array(file[..<Int(end)].suffix(block.meta.storedLength))
        }
        let store = Store(
            disk: scanned.disk, snapshot: try snapshot(of: scanned.disk), reference: scanned.reference)
        return (store, frames, dump.blocks)
    }

    /// The lines of a reference in an order, which `ReadEvent` may abbreviate.
    private func text(_ reference: ReferenceLog, _ order: ScanRequest.Order, limit: Int = .max) -> String {
        let sorted = reference.entries.sorted {
            order == .time
                ? ($0.event.bucket, $0.sequence) < ($1.event.bucket, $1.sequence) : $0.sequence < $1.sequence
        }
        return Array(sorted.prefix(limit)).text
    }

    private func text(_ events: [ReadEvent]) -> String { events.map { $0.line + "\n" }.joined() }

    @Test("any order, range, limit and start gives the lines of the scan of lines, and its cursor", arguments: 1...6)
    func sameAsScan(seed: UInt64) async throws {
        let snapshot = try await store(seed: seed).snapshot
        #expect(snapshot.segments.contains { $0.isCold } && snapshot.segments.contains { !$0.isCold })
        let ranges = [0...UInt64.max, Bucket.ofTest(7).milliseconds...Bucket.ofTest(40).milliseconds]
        for order in ScanRequest.Order.allCases {
            for range in ranges {
                for limit in [nil, 1, 2, 13, 50, 256, 399, 400, 401] {
                    var request = ScanRequest(range: range, order: order, limit: limit)
                    for page in 0..<8 {
                        let lines = try readAll(snapshot, request)
                        let frames = try readFrames(snapshot, request, .zstandard)
                        #expect(frames.text == text(lines.events) && frames.summary.isComplete, "\(request), \(page)")
                        #expect(frames.summary.cursor == lines.summary.cursor, "\(request), page \(page)")
                        guard let cursor = frames.summary.cursor else { break }
                        request.cursor = cursor
                    }
                }
            }
        }
    }

    @Test("pages of any size are the whole", arguments: ScanRequest.Order.allCases)
    func pages(order: ScanRequest.Order) async throws {
        let store = try await store(seed: 9, count: 120, buckets: 12)
        for size in [1, 3, 7, 8, 20, 119, 120] {
            var request = ScanRequest(order: order, limit: size)
            var found = ""
            while true {
                let page = try readFrames(store.snapshot, request, .zstandard)
                found += page.text
                guard let cursor = page.summary.cursor else { break }
                request.cursor = cursor
            }
            #expect(found == text(store.reference.scan(order: order)), "pages of \(size)")
        }
    }

    @Test("a cold block that is wanted whole comes as it is stored, in order of time")
    func stored() async throws {
        let (store, frames, _) = try await cold(isSorted: false)
        let found = try readFrames(store.snapshot, ScanRequest(), .zstandard)
        #expect(found.chunks.flatMap(\.zstandardFrames) == frames && frames.count == 13)
        #expect(found.text == text(store.reference.scan(order: .time)))
    }

    @Test("at the edges of a range, a limit and a page its lines come in a new frame, the others as they lie")
    func edges() async throws {
        let (store, frames, blocks) = try await cold(isSorted: false)
        let range = blocks[2].meta.firstBucket.milliseconds...blocks[9].meta.lastBucket.milliseconds
        for (request, whole) in [
            (ScanRequest(range: range), 3...8), (ScanRequest(limit: 25), 0...2), (ScanRequest(limit: 28), 0...3),
        ] {
            let found = try readFrames(store.snapshot, request, .zstandard).chunks.flatMap(\.zstandardFrames)
            for index in frames.indices where whole.contains(index) {
                #expect(found.contains(frames[index]), "block \(index) of \(request)")
            }
            #expect(found.count { frames.contains($0) } <= whole.count + 2)
        }
        let first = try readFrames(store.snapshot, ScanRequest(limit: 10), .zstandard)
        let rest = ScanRequest(cursor: first.summary.cursor)
        #expect(
            try readFrames(store.snapshot, rest, .zstandard).chunks.flatMap(\.zstandardFrames).dropFirst()
                == frames[2...])
    }

    @Test("in order of arrival it comes so only where its lines lie in that order", arguments: [true, false])
    func arrival(isSorted: Bool) async throws {
        let (store, frames, blocks) = try await cold(isSorted: isSorted)
        #expect(blocks.allSatisfy { $0.meta.isReordered != isSorted })
        let found = try readFrames(store.snapshot, ScanRequest(order: .arrival), .zstandard)
        #expect(found.text == store.reference.entries.text)
        #expect(found.chunks.flatMap(\.zstandardFrames).count { frames.contains($0) } == (isSorted ? frames.count : 0))
    }

    @Test("the lines of small blocks are gathered to one frame; chunks stay near their bound")
    func gathered() async throws {
        let small = try await store(seed: 3, generations: 0).snapshot
        for order in ScanRequest.Order.allCases {
            let found = try readFrames(small, ScanRequest(order: order), .zstandard)
            #expect(found.chunks.flatMap(\.zstandardFrames).count == 1)
        }
        let large = try await store(seed: 4, generations: 0, padding: 20_000)
        for order in ScanRequest.Order.allCases {
            let found = try readFrames(large.snapshot, ScanRequest(order: order), .zstandard)
            #expect(found.text == text(large.reference, order))
            let frames = found.chunks.flatMap(\.zstandardFrames)
            #expect((8...20).contains(frames.count))
        }
    }

    @Test("a bucket beyond the budget, spread over generations", arguments: 1...4)
    func largeBucket(seed: UInt64) async throws {
        let store = try await store(seed: seed, count: 2_000, buckets: 2, padding: 400)
        let leases = (0..<20).map { _ in store.snapshot.access.pool.lease() }
        for limit in [nil, 1_400] {
            let request = ScanRequest(limit: limit)
            let frames = try readFrames(store.snapshot, request, .zstandard)
            let expected = text(store.reference, .time, limit: limit ?? .max)
            #expect(frames.text == expected, "limit \(limit ?? 0)")
            #expect(try frames.summary.cursor == readAll(store.snapshot, request).summary.cursor)
        }
        withExtendedLifetime(leases) {}
    }

    @Test("events that came after the first page stay out of the next, though they lie in its blocks")
    func pinned() async throws {
        for order in ScanRequest.Order.allCases {
            var scanned = try ScannedLog()
            try await scanned.append(TestBatch(0, buckets: [3, 1, 2, 3, 1, 4, 4, 5, 5, 5]))
            var request = ScanRequest(order: order, limit: 2)
            request.cursor = try readFrames(scanned.log.snapshot(), request, .zstandard).summary.cursor
            request.limit = nil
            let expected = text(try scanned.read(request).events)
            try await scanned.append(TestBatch(50, buckets: [2, 1, 4, 5, 3, 6, 6, 6, 6, 6]))
            try await scanned.log.seal()
            try await scanned.log.close()
            var hand = HandCompaction(disk: scanned.disk, environment: TestEnvironment())
            (hand.blockLines, hand.codec) = (3, .zstandard)
            try hand.compact([SegmentNumber(1)])
            #expect(try readFrames(snapshot(of: scanned.disk), request, .zstandard).text == expected, "\(order)")
        }
    }

    @Test("a damaged block is left out and reported; the frames around it come", arguments: [0, 5, 12])
    func damaged(index: Int) async throws {
        let (store, frames, blocks) = try await cold(isSorted: true)
        let path = try #require(store.snapshot.segments.first { $0.isCold }).path
        let place = Int(index < 12 ? blocks[index + 1].offset - 9 : blocks[index].offset)
        store.disk.flipBit(path, 8 * place)
        let found = try readFrames(snapshot(of: store.disk), ScanRequest(), .zstandard)
        var left = frames
        left.remove(at: index)
        #expect(found.chunks.flatMap(\.zstandardFrames) == left)
        #expect(!found.summary.isComplete && found.summary.faults.count == 1)
    }

    @Test("no codec gives no frames")
    func noCodec() async throws {
        let scanned = try ScannedLog()
        expectCode(.badArgument) { () throws(StoreError) in
            _ = try FrameScan(scanned.log.snapshot(), ScanRequest(), codec: .none)
        }
        try await scanned.log.close()
    }
}
