import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Scans of frames")
struct FrameScanTests {
    /// Blocks in order of arrival and blocks that were put in order, sealed and not.
    private func log() async throws -> ScannedLog {
        var scanned = try ScannedLog()
        for (index, buckets) in [[1, 1, 2], [2, 1], [3, 4, 4], [1], [5, 2, 5, 0], [6, 6], [6, 7]].enumerated() {
            try await scanned.append(TestBatch(10 * index, buckets: buckets))
            if index == 2 || index == 4 { try await scanned.log.seal() }
        }
        return scanned
    }

    @Test("a stored frame comes as it lies where its block is wanted whole and lies in order of arrival")
    func stored() async throws {
        let scanned = try await log()
        let file = try #require(scanned.disk.contents(SmallStore.sealedPath))
        let dump = try SegmentDump.read(SmallStore.sealedPath, environment: TestEnvironment().on(scanned.disk))
        let range = Bucket.ofTest(1).milliseconds...Bucket.ofTest(3).milliseconds
        let all = try readFrames(scanned.log.snapshot(), ScanRequest(order: .arrival)).chunks.flatMap(\.frames)
        let some = try readFrames(scanned.log.snapshot(), ScanRequest(range: range, order: .arrival)).chunks
            .flatMap(\.frames)
        #expect(all.count == 7 && some.count == 5)
        for (index, block) in dump.blocks.enumerated() {
            let end = index < 2 ? dump.blocks[index + 1].offset : try #require(dump.sealOffset)
            let data = file[..<Int(end)].suffix(block.meta.storedLength)
            #expect((all[index] == Array(data)) == (index != 1), "block \(index) of 3, the second is in order of time")
            #expect((some[index] == Array(data)) == (index == 0), "the third straddles the end")
        }
        try await scanned.log.close()
    }

    @Test("any start, limit and range gives what the scan of lines gives, and its cursor")
    func sameAsScan() async throws {
        let scanned = try await log()
        let snapshot = scanned.log.snapshot()
        let ranges = [0...UInt64.max, Bucket.ofTest(1).milliseconds...Bucket.ofTest(4).milliseconds]
        for range in ranges {
            for after in 0...18 as ClosedRange<UInt64> {
                for limit in [nil, 1, 2, 3, 5, 8, 16, 17, 18] {
                    let request = ScanRequest(range: range, order: .arrival, limit: limit, after: Sequence(after))
                    let lines = try readAll(snapshot, request)
                    let frames = try readFrames(snapshot, request)
                    #expect(frames.text == lines.events.map { $0.line + "\n" }.joined(), "\(request)")
                    #expect(frames.summary.cursor == lines.summary.cursor, "\(request)")
                }
            }
        }
        try await scanned.log.close()
    }

    @Test("pages of frames and pages of lines go on from one another")
    func pages() async throws {
        let scanned = try await log()
        for size in 1...18 {
            var request = ScanRequest(order: .arrival, limit: size)
            var text = ""
            for page in 0... {
                let summary: ScanSummary
                if page % 2 == 0 {
                    let frames = try readFrames(scanned.log.snapshot(), request)
                    (text, summary) = (text + frames.text, frames.summary)
                } else {
                    let lines = try scanned.read(request)
                    (text, summary) = (text + lines.events.map { $0.line + "\n" }.joined(), lines.summary)
                }
                guard let cursor = summary.cursor else { break }
                request.cursor = cursor
            }
            #expect(text == scanned.reference.entries.text, "pages of \(size)")
        }
        try await scanned.log.close()
    }

    @Test("chunks stay near their bound, however large the blocks are")
    func bounds() async throws {
        var scanned = try ScannedLog()
        var random = SeededRandom(seed: 5)
        for number in 0..<40 {
            let buckets = (0..<20).map { _ in number.isMultiple(of: 2) ? number : Int.random(in: 0...40, using: &random)
            }
            let events = buckets.enumerated().map { index, bucket in
                let noise = (0..<9_000).map { _ in UInt8.random(in: 97...122, using: &random) }
                return TestEvent(
                    number * 100 + index, bucket: .ofTest(bucket), pad: String(decoding: noise, as: UTF8.self))
            }
            try await scanned.append(TestBatch(number * 100, events))
        }
        let found = try readFrames(scanned.log.snapshot(), ScanRequest(order: .arrival))
        #expect(found.text == scanned.reference.entries.text)
        #expect(found.chunks.count > 10)
        #expect(found.chunks.allSatisfy { $0.bytes.count < Bounds.scanChunk + LineBatch.blockTarget })
        try await scanned.log.close()
    }

    @Test("a damaged block is left out and reported; the frames around it come")
    func damaged() async throws {
        let store = try await SmallStore.make()
        let path = SmallStore.sealedPath
        let bytes = try #require(store.disk.contents(path))
        for byte in bytes.indices {
            store.disk.flipBit(path, byte * 8 + byte % 8)
            let (snapshot, _) = try StoreReader.snapshot(
                of: dataDirectory, options: LogOptions(), environment: store.settings)
            let frames = try readFrames(snapshot, ScanRequest(order: .arrival))
            #expect(frames.text == store.surviving(path) { $0.contains(byte) }.map { $0.line + "\n" }.joined())
            #expect(!frames.summary.isComplete, "byte \(byte)")
            store.disk.replace(path, bytes)
        }
    }

    @Test("LZ4 frames come in order of arrival alone")
    func order() async throws {
        let scanned = try ScannedLog()
        expectCode(.badArgument) { () throws(StoreError) in
            _ = try FrameScan(scanned.log.snapshot(), ScanRequest(order: .time), codec: .lz4)
        }
        try await scanned.log.close()
    }
}
