import SegmentFormat

// A scan in order of sequence: hot segments lie in it already, and a block that was ordered by bucket
// is put back line by line.

final class ArrivalOrder: LineSource {
    private var blocks: ArrivalBlocks
    private let buckets: ClosedRange<Bucket>
    private let reader: BlockReader

    init(_ snapshot: LogSnapshot, _ filter: BlockFilter, _ reader: BlockReader) {
        blocks = ArrivalBlocks(snapshot, filter, reader)
        buckets = filter.buckets
        self.reader = reader
    }

    func fill(_ output: ScanOutput, lines: Int) throws(StoreError) -> Bool {
        while output.byteCount < Bounds.scanChunk, output.lineCount < lines, let block = try blocks.next() {
            try reader.append(block, buckets: buckets, order: .arrival, to: output)
        }
        return output.byteCount > 0
    }
}

/// The blocks that a scan in order of arrival has to look into.
struct ArrivalBlocks {
    private var segments: ArraySlice<SegmentEntry>
    private var active: OpenSegment?
    private var current: (segment: OpenSegment, next: Int)?
    private let filter: BlockFilter
    private let reader: BlockReader
    private let store: StoreID

    init(_ snapshot: LogSnapshot, _ filter: BlockFilter, _ reader: BlockReader) {
        segments = snapshot.sealed.entries.filter { filter.mayHold($0) }[...]
        active = snapshot.active?.segment
        self.filter = filter
        self.reader = reader
        store = snapshot.store
    }

    mutating func next() throws(StoreError) -> BlockReference? {
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

    private mutating func nextSegment() throws(StoreError) -> OpenSegment? {
        while let entry = segments.popFirst() {
            if let segment = try reader.open(entry, store: store) { return segment }
        }
        defer { active = nil }
        return active
    }
}
