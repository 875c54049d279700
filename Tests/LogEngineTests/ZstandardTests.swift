import TestSupport
import Testing

@testable import LogEngine
@testable import SegmentFormat

@Suite("Zstandard blocks")
struct ZstandardTests {
    /// Blocks that overlap in time, in order of arrival and not, in two sealed segments.
    private func log() async throws -> ScannedLog {
        var scanned = try ScannedLog()
        let batches = [[1, 1, 2], [2, 1], [3, 4, 4], [1], [5, 2, 5, 0], [6, 6], [6, 7], [2, 9]]
        for (index, buckets) in batches.enumerated() {
            try await scanned.append(TestBatch(10 * index, buckets: buckets, padding: index == 4 ? 70_000 : 9))
            if index == 3 || index == 7 { try await scanned.log.seal() }
        }
        return scanned
    }

    @Test("a store of Zstandard blocks gives every scan that the same one of LZ4 blocks gives")
    func scans() async throws {
        let scanned = try await log()
        let original = scanned.log.snapshot()
        let (transcoded, _) = try Transcoded(scanned).snapshot()
        let range = Bucket.ofTest(1).milliseconds...Bucket.ofTest(5).milliseconds
        for order in ScanRequest.Order.allCases {
            for range in [0...UInt64.max, range] {
                for limit in [nil, 1, 4, 7] {
                    let request = ScanRequest(range: range, order: order, limit: limit)
                    let (expected, found) = (try readAll(original, request), try readAll(transcoded, request))
                    #expect(found.events == expected.events && found.summary.isComplete, "\(request)")
                    #expect(found.summary.cursor == expected.summary.cursor, "\(request)")
                }
            }
        }
        #expect(try transcoded.last() == original.last())
        try await scanned.log.close()
    }

    @Test("a scan of frames gives LZ4 frames of the lines, be the blocks wanted whole or in part")
    func frames() async throws {
        let scanned = try await log()
        let (transcoded, _) = try Transcoded(scanned).snapshot()
        for request in [
            ScanRequest(order: .arrival), ScanRequest(order: .arrival, limit: 5, after: Sequence(3)),
            ScanRequest(range: 0...Bucket.ofTest(2).milliseconds, order: .arrival),
        ] {
            let frames = try readFrames(transcoded, request)
            let expected = try readFrames(scanned.log.snapshot(), request)
            #expect(frames.text == expected.text && frames.summary.isComplete, "\(request)")
            #expect(frames.summary.cursor == expected.summary.cursor)
        }
        try await scanned.log.close()
    }

    @Test("a damaged block is left out of every scan, and told", arguments: 0..<4)
    func damaged(_ index: Int) async throws {
        let scanned = try await log()
        let store = try Transcoded(scanned)
        let dump = try SegmentDump.read(SmallStore.sealedPath, environment: store.environment)
        let block = dump.blocks[index]
        let end = try #require(index < 3 ? dump.blocks[index + 1].offset : dump.sealOffset)
        store.disk.flipBit(SmallStore.sealedPath, Int(end - 6) * 8)
        let sequences = block.meta.firstSequence...block.meta.lastSequence
        for order in ScanRequest.Order.allCases {
            let expected = try readAll(scanned.log.snapshot(), ScanRequest(order: order)).events
            let found = try readAll(store.snapshot().snapshot, ScanRequest(order: order))
            #expect(found.events == expected.filter { !sequences.contains($0.sequence) })
            #expect(found.summary.faults.map(\.fault.clause) == [.dataChecksum])
        }
        try await scanned.log.close()
    }

    @Test("a cold segment breaks no clause")
    func fixture() throws {
        let path = "\(StoreFixtures.root)/segments/cold-day.ndjson.zst"
        var lines = 0
        let dump = try SegmentDump.read(path, environment: TestEnvironment().on(PosixDisk())) { meta, bytes in
            #expect(bytes.lineFeeds == meta.lines)
            lines += meta.lines
        }
        #expect(dump.faults.isEmpty && dump.seal != nil && dump.blocks.count == 5 && lines == 18)
    }
}

/// A copy of a log's disk whose sealed segments have their LZ4 frames made anew as Zstandard frames.
private struct Transcoded {
    let disk: VirtualDisk
    var environment: Environment { TestEnvironment().on(disk) }

    init(_ scanned: ScannedLog) throws {
        disk = scanned.disk.copy()
        let layout = scanned.log.snapshot().access.layout
        var manifest = try #require(ManifestReading.read(layout, disk).ruling)
        for index in manifest.segments.indices {
            let path = layout.hotSegment(manifest.segments[index].segment)
            let file = try Self.transcoded(try #require(disk.contents(path)))
            let salt = manifest.segments[index].salt.value
            manifest.segments[index].length = UInt64(file.count)
            manifest.segments[index].fileHash = file.withUnsafeBytes { xxh3Wide($0, seed: salt) }
            disk.replace(path, file)
        }
        for slot in 0...1 { disk.replace(layout.manifest(slot), manifest.encoded()) }
    }

    func snapshot() throws(StoreError) -> (snapshot: LogSnapshot, notes: [String]) {
        try StoreReader.snapshot(of: dataDirectory, options: LogOptions(), environment: environment)
    }

    private static func transcoded(_ file: [UInt8]) throws(FormatFault) -> [UInt8] {
        try file.decoded { (file) throws(FormatFault) in
            let (head, headEnd) = try SegmentHead.decode(file)
            var output = Array(file[..<headEnd])
            var index: [BlockIndexEntry] = []
            var position = headEnd
            while true {
                let rest = UnsafeRawBufferPointer(rebasing: file[position...])
                guard FrameHeader.kind(rest) == .meta else { break }
                let (meta, length) = try BlockMeta.decode(
                    rest, at: UInt64(position), segment: head.segment, salt: head.salt)
                let frame = UnsafeRawBufferPointer(rebasing: rest[length..<length + meta.storedLength])
                let (newMeta, data) = try transcoded(meta, frame)
                let newFrame = newMeta.encoded(salt: head.salt)
                index.append(BlockIndexEntry(newMeta, offset: UInt64(output.count), metaLength: newFrame.count))
                output += newFrame + data
                position += length + frame.count
            }
            let rest = UnsafeRawBufferPointer(rebasing: file[position...])
            var seal = try Seal.decode(rest, at: UInt64(position), segment: head.segment, salt: head.salt)
            seal.index = index
            seal.fileHash = output.withUnsafeBytes { xxh3Wide($0, seed: head.salt.value) }
            return output + seal.encoded(salt: head.salt)
        }
    }

    private static func transcoded(
        _ meta: BlockMeta, _ frame: UnsafeRawBufferPointer
    ) throws(FormatFault) -> (BlockMeta, [UInt8]) {
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: meta.rawLength, alignment: 1)
        defer { raw.deallocate() }
        try BlockData.decode(frame, of: meta, at: 0, range: 0..<raw.count, into: raw)
        let data = ZstdEncoder().encode(UnsafeRawBufferPointer(raw))
        var meta = meta
        meta.codec = .zstandard
        meta.storedLength = data.count
        meta.dataHash = data.withUnsafeBytes { xxh3($0) }
        return (meta, data)
    }
}
