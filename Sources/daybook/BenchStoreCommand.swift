import ArgumentParser
import Glibc
import LogEngine
import SegmentFormat

/// Writes sealed segments of many small blocks, to measure how fast a large store opens. The files are
/// made here and not appended, because an append is a sync and there would be millions.
struct BenchStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-store", abstract: "Makes a store of sealed segments for measurements.",
        shouldDisplay: false)

    @Argument(help: "The directory to make; it must not exist.", completion: .directory)
    var directory: String

    @Option(help: "Sealed segments.")
    var segments = 1_000

    @Option(help: "Blocks of each, one event in each block.")
    var blocks = 30_000

    func validate() throws {
        guard (1...1_000_000).contains(segments), (1...131_072).contains(blocks) else {
            throw ValidationError("--segments or --blocks is out of bounds.")
        }
    }

    func run() async throws {
        guard access(directory, F_OK) != 0 else { throw CommandFailure(.usage, "\(directory) exists") }
        let log = try EventLog.open(directory, options: LogOptions(), environment: .system)
        try await log.close()
        let layout = Layout(data: directory, stream: .interactions)
        var manifest = try newestManifest(layout)
        if let first = manifest.cleanClose?.segment { unlink(layout.hotSegment(first)) }
        var progress = Progress(Console.current)
        var next = Sequence.first
        for number in 1...UInt64(segments) {
            let segment = try SyntheticSegment(SegmentNumber(number), blocks: blocks, startingAt: next, in: manifest)
            try write(segment.bytes, to: layout.hotSegment(segment.entry.segment))
            manifest.segments.append(segment.entry)
            next = segment.entry.nextSequence
            progress.draw("\(number) of \(segments) segments")
        }
        progress.clear()
        manifest.highestSegment = SegmentNumber(UInt64(segments))
        manifest.firstUnreserved = next
        manifest.cleanClose = nil
        manifest.generation += 1
        for slot in 0...1 { try write(manifest.encoded(), to: path(layout, slot)) }
        // Gives the store an active segment and a clean end.
        let finished = try EventLog.open(directory, options: LogOptions(), environment: .system)
        try await finished.close()
    }

    private func path(_ layout: Layout, _ slot: Int) -> String { "\(layout.root)/MANIFEST.\(slot)" }

    private func newestManifest(_ layout: Layout) throws -> Manifest {
        let found = try (0...1).map { slot in
            let bytes = try read(path(layout, slot))
            return try bytes.withUnsafeBytes { try Manifest.decode($0) }
        }
        return found[0].generation > found[1].generation ? found[0] : found[1]
    }

    private func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw failure(path) }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return bytes
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw failure(path) }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw failure(path) }
    }

    private func failure(_ path: String) -> CommandFailure {
        CommandFailure(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
    }
}

/// A sealed segment whose blocks all hold the same event.
private struct SyntheticSegment {
    private(set) var bytes: [UInt8]
    let entry: SegmentEntry

    init(_ number: SegmentNumber, blocks: Int, startingAt first: Sequence, in manifest: Manifest) throws {
        let head = SegmentHead(
            store: manifest.store, segment: number, salt: Salt(number.value), stream: manifest.stream,
            resolution: manifest.resolution, created: manifest.created, horizon: .earliest)
        bytes = head.encoded()
        var totals = SegmentTotals(startingAt: first)
        var index: [BlockIndexEntry] = []
        let content = Self.content(manifest.resolution.bucket(of: 1_700_000_000_000 + number.value * 600_000))
        for block in 0..<blocks {
            var meta = BlockMeta(
                segment: number, commit: CommitNumber(UInt64(block + 1)), indexInCommit: 0, blocksInCommit: 1,
                nextSequence: first + block, keyed: [], sourced: [])
            meta.hold(content)
            let frame = meta.encoded(salt: head.salt)
            index.append(BlockIndexEntry(meta, offset: UInt64(bytes.count), metaLength: frame.count))
            totals.add(index[block])
            bytes += frame
            bytes += content.data
        }
        let hash = RunningHash(seed: head.salt.value)
        hash.update(bytes)
        let seal = Seal(
            segment: number, totals: totals, index: index, keyed: [], sourced: [], fileHash: hash.wide
        ).encoded(salt: head.salt)
        hash.update(seal)
        bytes += seal
        entry = SegmentEntry(
            segment: number, salt: head.salt, length: UInt64(bytes.count), fileHash: hash.wide, totals: totals,
            sealed: manifest.created, deliveries: 0, isDamaged: false)
    }

    private static func content(_ bucket: Bucket) -> BlockContent {
        let batch = LineBatch()
        let line = Array("{\"timestamp\":\(bucket.milliseconds),\"language\":\"en\"}".utf8)
        line.withUnsafeBytes { batch.append($0, bucket: bucket) }
        return BlockContent.blocks(of: batch)[0]
    }
}
