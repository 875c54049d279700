import SegmentFormat

// The blocks that a scan in order of time has yet to reach, by first bucket, then by first sequence.
// Segments are opened when their turn comes.

struct BlockQueue {
    struct Key: Comparable {
        var bucket: Bucket
        var sequence: Sequence
        static func < (a: Key, b: Key) -> Bool { (a.bucket, a.sequence) < (b.bucket, b.sequence) }
    }

    private enum Source {
        case unopened(SegmentEntry)
        /// Block numbers in order of key, and the next of them.
        case opened(OpenSegment, blocks: [Int32], next: Int)
    }

    private var heap: [(key: Key, source: Source)] = []
    private let filter: BlockFilter
    private let reader: BlockReader
    private let store: StoreID

    init(_ snapshot: LogSnapshot, _ filter: BlockFilter, _ reader: BlockReader) {
        self.filter = filter
        self.reader = reader
        store = snapshot.store
        for entry in snapshot.sealed.entries where filter.mayHold(entry) {
            push(Key(bucket: entry.firstBucket, sequence: entry.firstSequence), .unopened(entry))
        }
        if let active = snapshot.active { open(active.segment) }
    }

    /// The first block of the queue, which stays in it.
    mutating func peek() throws(StoreError) -> BlockReference? {
        while let first = heap.first {
            switch first.source {
            case .opened(let segment, let blocks, let next):
                return BlockReference(segment: segment, entry: segment.blocks[Int(blocks[next])])
            case .unopened(let entry):
                popTop()
                if let segment = try reader.open(entry, store: store) { open(segment) }
            }
        }
        return nil
    }

    /// Removes the block that `peek` returned.
    mutating func advance() {
        guard case .opened(let segment, let blocks, let next) = heap[0].source else {
            preconditionFailure("advance without peek")
        }
        popTop()
        push(segment, blocks, from: next + 1)
    }

    private mutating func open(_ segment: OpenSegment) {
        var blocks: [Int32] = []
        var isOrdered = true
        var last: Key?
        for index in 0..<segment.blocks.count {
            let entry = segment.blocks[index]
            guard filter.mayHold(entry) else { continue }
            let key = Key(bucket: entry.firstBucket, sequence: entry.firstSequence)
            if let last, key < last { isOrdered = false }
            last = key
            blocks.append(Int32(index))
        }
        if !isOrdered { blocks.sort { key(segment, $0) < key(segment, $1) } }
        push(segment, blocks, from: 0)
    }

    private func key(_ segment: OpenSegment, _ block: Int32) -> Key {
        let entry = segment.blocks[Int(block)]
        return Key(bucket: entry.firstBucket, sequence: entry.firstSequence)
    }

    private mutating func push(_ segment: OpenSegment, _ blocks: [Int32], from next: Int) {
        guard next < blocks.count else { return }
        push(key(segment, blocks[next]), .opened(segment, blocks: blocks, next: next))
    }

    // MARK: - Binary heap, the smallest key first

    private mutating func push(_ key: Key, _ source: Source) {
        heap.append((key, source))
        var child = heap.count - 1
        while child > 0, heap[child].key < heap[(child - 1) / 2].key {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let children = (2 * parent + 1)..<min(2 * parent + 3, max(heap.count, 2 * parent + 1))
            guard let smallest = children.min(by: { heap[$0].key < heap[$1].key }),
                heap[smallest].key < heap[parent].key
            else { return }
            heap.swapAt(smallest, parent)
            parent = smallest
        }
    }
}

/// Which blocks a scan has to look into.
struct BlockFilter {
    let buckets: ClosedRange<Bucket>
    /// Both ends in.
    let sequences: ClosedRange<Sequence>
    /// In order of time: lines at or before it were delivered.
    var start: ScanPosition?

    func mayHold(_ entry: SegmentEntry) -> Bool {
        entry.lines > 0 && entry.lastBucket >= buckets.lowerBound && entry.firstBucket <= buckets.upperBound
            && entry.nextSequence > sequences.lowerBound && entry.firstSequence <= sequences.upperBound
    }

    func mayHold(_ entry: BlockIndexEntry) -> Bool {
        entry.lines > 0 && entry.lastBucket >= buckets.lowerBound && entry.firstBucket <= buckets.upperBound
            && entry.lastSequence >= sequences.lowerBound && entry.firstSequence <= sequences.upperBound
            && !isDelivered(entry)
    }

    /// Every line of a block that it may hold is wanted.
    func holdsWhole(_ entry: BlockIndexEntry) -> Bool {
        entry.firstBucket >= buckets.lowerBound && entry.lastBucket <= buckets.upperBound
            && entry.firstSequence >= sequences.lowerBound && entry.lastSequence <= sequences.upperBound
    }

    private func isDelivered(_ entry: BlockIndexEntry) -> Bool {
        guard let start else { return false }
        return ScanPosition(bucket: entry.lastBucket, sequence: entry.lastSequence) <= start
    }
}
