import SegmentFormat

// A scan in order of sequence: hot segments lie in it already, and a block that was ordered by bucket
// is put back line by line.

final class ArrivalOrder: LineSource {
    private var segments: ArraySlice<SegmentEntry>
    private var active: OpenSegment?
    private var current: (segment: OpenSegment, next: Int)?
    private let filter: BlockFilter
    private let reader: BlockReader
    private let store: StoreID
    private let scratch = ScanOutput()

    init(_ snapshot: LogSnapshot, _ filter: BlockFilter, _ reader: BlockReader) {
        segments = snapshot.sealed.entries.filter { filter.mayHold($0) }[...]
        active = snapshot.active?.segment
        self.filter = filter
        self.reader = reader
        store = snapshot.store
    }

    func fill(_ output: ScanOutput, lines: Int) throws(StoreError) -> Bool {
        while output.byteCount < Bounds.scanChunk, output.lineCount < lines, let block = try nextBlock() {
            if block.entry.isSingleBucket {
                try reader.append(block, buckets: filter.buckets, to: output)
            } else {
                try appendReordered(block, to: output)
            }
        }
        return output.byteCount > 0
    }

    private func nextBlock() throws(StoreError) -> BlockReference? {
        while true {
            guard let (segment, next) = current else {
                guard let segment = try nextSegment() else { return nil }
                current = (segment, segment.blocks.firstIndex(reaching: filter.sequences.lowerBound))
                continue
            }
            guard next < segment.blocks.count else {
                current = nil
                continue
            }
            current = (segment, next + 1)
            let entry = segment.blocks[next]
            if filter.mayHold(entry) { return BlockReference(segment: segment, entry: entry) }
        }
    }

    private func nextSegment() throws(StoreError) -> OpenSegment? {
        while let entry = segments.popFirst() {
            if let segment = try reader.open(entry, store: store) { return segment }
        }
        defer { active = nil }
        return active
    }

    private func appendReordered(_ block: BlockReference, to output: ScanOutput) throws(StoreError) {
        scratch.clear()
        try reader.withLines(block, buckets: filter.buckets, scratch: scratch) { meta, slice, bytes in
            guard case .perLine = meta.arrangement else {
                output.reserve(bytes.count).copyMemory(from: bytes)
                return output.grow(by: meta.runs[slice.runs], slice.span(meta))
            }
            let lines = Self.linesInOrder(meta, slice, bytes)
            for line in lines {
                output.reserve(line.bytes.count).copyMemory(from: line.bytes)
                output.grow(
                    by: CollectionOfOne(Run(bucket: line.bucket, lines: 1, bytes: line.bytes.count)),
                    .consecutive(from: line.sequence, count: 1))
            }
        }
    }

    private typealias Line = (sequence: UInt64, bucket: Bucket, bytes: UnsafeRawBufferPointer)

    private static func linesInOrder(
        _ meta: BlockMeta, _ slice: BlockSlice, _ bytes: UnsafeRawBufferPointer
    ) -> [Line] {
        let span = slice.span(meta)
        var lines: [Line] = []
        lines.reserveCapacity(slice.lines)
        var start = 0
        for run in meta.runs[slice.runs] {
            for _ in 0..<run.lines {
                guard let end = bytes.firstLineFeed(from: start) else { break }
                let line = UnsafeRawBufferPointer(rebasing: bytes[start...end])
                lines.append((span.sequence(lines.count).value, run.bucket, line))
                start = end + 1
            }
        }
        lines.sort { $0.sequence < $1.sequence }
        return lines
    }
}
