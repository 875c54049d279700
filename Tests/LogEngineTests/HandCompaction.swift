import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// Compaction by hand, of a store that is closed: which segments become which cold ones is up to the test.
struct HandCompaction {
    let disk: VirtualDisk
    let environment: TestEnvironment
    let layout = Layout(data: dataDirectory, stream: .interactions)
    /// Lines of a block.
    var blockLines = 3
    /// Events of a segment; a day with more is cut.
    var segmentLines = Int.max
    var codec = Codec.lz4

    struct Line {
        let bucket: Bucket
        let sequence: Sequence
        let bytes: [UInt8]
    }

    func manifest() throws -> Manifest { try #require(try ManifestReading.read(layout, disk).ruling) }

    /// The lines of listed segments, in order of time.
    func lines(of entries: [SegmentEntry]) throws -> [Line] {
        var lines: [Line] = []
        for entry in entries {
            let dump = try SegmentDump.read(layout.path(of: entry), environment: environment.on(disk)) { meta, raw in
                var number = 0
                let texts = raw.split(separator: 0x0A).map { Array($0) }
                for run in meta.runs {
                    for text in texts[number..<number + run.lines] {
                        lines.append(Line(bucket: run.bucket, sequence: meta.sequence(ofLine: number), bytes: text))
                        number += 1
                    }
                }
            }
            #expect(dump.faults.isEmpty)
        }
        return lines.sorted { ($0.bucket, $0.sequence) < ($1.bucket, $1.sequence) }
    }

    /// Replaces listed segments by cold ones, and removes their files. Returns the entries of the new ones.
    @discardableResult
    func compact(_ numbers: Set<SegmentNumber>) throws -> [SegmentEntry] {
        let before = try manifest()
        let added = try write(numbers, of: before)
        let active = try #require(before.cleanClose?.segment)
        try ManifestStore(layout, disk, current: before).update {
            $0.list(added, removing: numbers, active: active, highest: added.map(\.segment).max() ?? active)
        }
        for entry in before.segments where numbers.contains(entry.segment) {
            try disk.removeFile(layout.path(of: entry))
        }
        return added
    }

    /// Writes the cold segments that would replace listed ones; no manifest tells of them.
    func write(_ numbers: Set<SegmentNumber>, of manifest: Manifest) throws -> [SegmentEntry] {
        let inputs = manifest.segments.filter { numbers.contains($0.segment) }
        let lines = try lines(of: inputs)
        var keyed = try inputs.compactMap { try seal(of: $0)?.keyed }.flatMap { $0 }
        let sources = try manifest.segments.last.flatMap { try seal(of: $0)?.sourced } ?? []
        var entries: [SegmentEntry] = []
        for day in Set(lines.map(\.bucket.day)).sorted() {
            var rest = lines.filter { $0.bucket.day == day }[...]
            while !rest.isEmpty {
                let number = manifest.highestSegment.value + UInt64(entries.count) + 1
                entries.append(
                    try write(
                        Array(rest.prefix(segmentLines)), day, SegmentNumber(number), numbers.sorted(), manifest,
                        keyed: keyed, sources: sources))
                keyed = []
                rest = rest.dropFirst(segmentLines)
            }
        }
        return entries
    }

    private func seal(of entry: SegmentEntry) throws -> Seal? {
        try SegmentDump.read(layout.path(of: entry), environment: environment.on(disk)).seal
    }

    private func write(
        _ lines: [Line], _ day: Int, _ number: SegmentNumber, _ replaced: [SegmentNumber], _ manifest: Manifest,
        keyed: [KeyedDelivery], sources: [SourceDelivery]
    ) throws -> SegmentEntry {
        let now = environment.clock.now
        let head = SegmentHead(
            store: manifest.store, segment: number, salt: Salt(environment.on(disk).random()),
            stream: manifest.stream, resolution: manifest.resolution, created: now, horizon: manifest.horizon,
            replaced: replaced)
        let writer = try ColdSegmentWriter(
            head, day: UInt32(day), at: layout.place(ofCold: head.segment, day: UInt32(day)), disk)
        var rest = lines[...]
        while !rest.isEmpty {
            var (meta, data) = Self.block(Array(rest.prefix(blockLines)), codec)
            if rest.startIndex == 0 { meta.keyed = keyed }
            try writer.append(meta, data)
            rest = rest.dropFirst(blockLines)
        }
        let entry = try writer.seal(sources: sources, sealed: manifest.resolution.bucket(of: now).milliseconds)
        try writer.publish()
        return entry
    }

    /// A block without its place, of lines in order of time.
    static func block(_ lines: [Line], _ codec: Codec = .lz4) -> (meta: BlockMeta, data: [UInt8]) {
        let sequences = lines.map(\.sequence.value)
        let first = sequences.min() ?? 1
        let last = sequences.max() ?? 0
        let raw: [UInt8] = lines.flatMap { (line: Line) -> [UInt8] in line.bytes + [0x0A] }
        let data = raw.withUnsafeBytes { codec == .lz4 ? LZ4Frame.encode($0) : ZstdEncoder().encode($0) }
        var meta = BlockMeta(
            segment: SegmentNumber(0), commit: .none, indexInCommit: 0, blocksInCommit: 0,
            nextSequence: Sequence(first), keyed: [], sourced: [])
        for line in lines {
            let run = Run(bucket: line.bucket, lines: 1, bytes: line.bytes.count + 1)
            if let known = meta.runs.indices.last, meta.runs[known].bucket == run.bucket {
                meta.runs[known].lines += 1
                meta.runs[known].bytes += run.bytes
            } else {
                meta.runs.append(run)
            }
        }
        (meta.lastSequence, meta.lines) = (Sequence(last), lines.count)
        (meta.rawLength, meta.storedLength, meta.codec) = (raw.count, data.count, codec)
        meta.dataHash = data.withUnsafeBytes { xxh3($0) }
        let isConsecutive = sequences == Array(first..<first + UInt64(lines.count))
        meta.arrangement = isConsecutive ? .arrival : .perLine(sequences.map { $0 - first })
        return (meta, data)
    }
}
