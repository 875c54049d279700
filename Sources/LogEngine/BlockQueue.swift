import SegmentFormat

// The blocks that a scan has yet to reach. In order of time: by first bucket, then by first sequence; in order
// of arrival: by first sequence. Segments are opened when their turn comes.

struct BlockQueue {
    /// None of the lines behind it is before it. In order of arrival all buckets are the earliest.
    private struct Key: Comparable {
        var bucket: Bucket
        var sequence: Sequence
        static func < (a: Key, b: Key) -> Bool { (a.bucket, a.sequence) < (b.bucket, b.sequence) }
    }

    private enum Source {
        case unopened(SegmentEntry)
        /// Block numbers in the order of the queue, and the next of them.
        case opened(OpenSegment, blocks: [Int32], next: Int)
    }

    private var heap: [(key: Key, source: Source)] = []
    private let order: ScanRequest.Order
    private let filter: BlockFilter
    private let reader: BlockReader
    private let store: StoreID

    init(_ snapshot: LogSnapshot, _ order: ScanRequest.Order, _ filter: BlockFilter, _ reader: BlockReader) {
        self.order = order
        self.filter = filter
        self.reader = reader
        store = snapshot.store
        for entry in snapshot.sealed.entries where filter.mayHold(entry) {
            push(key(entry.firstBucket, entry.firstSequence), .unopened(entry))
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
                remove(at: 0)
                if let segment = try reader.open(entry, store: store) { open(segment) }
            }
        }
        return nil
    }

    /// Removes the first block. It is alone where all of its lines come before those of every other block.
    mutating func take() throws(StoreError) -> (block: BlockReference, isAlone: Bool)? {
        guard let block = try peek() else { return nil }
        let last = key(block.entry.lastBucket, block.entry.lastSequence)
        let isAlone = try !reachesOtherSegment(last) && !reachesNext(last)
        advance()
        return (block, isAlone)
    }

    /// Whether the block behind the first one in its segment may have a line that is not above `last`.
    private func reachesNext(_ last: Key) -> Bool {
        guard case .opened(let segment, let blocks, let next) = heap[0].source, next + 1 < blocks.count,
            !isInOrder(segment)
        else { return false }
        return key(segment, blocks[next + 1]) <= last
    }

    /// The same of the other segments. One that might is opened: its blocks may say otherwise.
    private mutating func reachesOtherSegment(_ last: Key) throws(StoreError) -> Bool {
        while let index = heap.indices.dropFirst().prefix(2).min(by: { heap[$0].key < heap[$1].key }),
            heap[index].key <= last
        {
            guard case .unopened(let entry) = heap[index].source else { return true }
            remove(at: index)
            if let segment = try reader.open(entry, store: store) { open(segment) }
        }
        return false
    }

    /// Removes the block that `peek` returned.
    mutating func advance() {
        guard case .opened(let segment, let blocks, let next) = heap[0].source else {
            preconditionFailure("advance without peek")
        }
        remove(at: 0)
        push(segment, blocks, from: next + 1)
    }

    /// The blocks of the segment follow one another in the order of the queue, line by line.
    private func isInOrder(_ segment: OpenSegment) -> Bool { order == .time && segment.isInOrderOfTime }

    private mutating func open(_ segment: OpenSegment) {
        var blocks: [Int32] = []
        var isSorted = true
        var last: Key?
        for index in segment.blocks(reaching: filter.sequences) where filter.mayHold(segment.blocks[index]) {
            let key = key(segment, Int32(index))
            if let last, key < last { isSorted = false }
            last = key
            blocks.append(Int32(index))
        }
        if !isSorted, !isInOrder(segment) { blocks.sort { key(segment, $0) < key(segment, $1) } }
        push(segment, blocks, from: 0)
    }

    private func key(_ bucket: Bucket, _ sequence: Sequence) -> Key {
        Key(bucket: order == .time ? bucket : .earliest, sequence: sequence)
    }

    private func key(_ segment: OpenSegment, _ block: Int32) -> Key {
        let entry = segment.blocks[Int(block)]
        return key(entry.firstBucket, entry.firstSequence)
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

    /// Of the top or one of the two below it: what takes its place can only sink.
    private mutating func remove(at index: Int) {
        heap.swapAt(index, heap.count - 1)
        heap.removeLast()
        var parent = index
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
            && start.map { $0 < ScanPosition(bucket: entry.firstBucket, sequence: entry.firstSequence) } ?? true
    }

    private func isDelivered(_ entry: BlockIndexEntry) -> Bool {
        guard let start else { return false }
        return ScanPosition(bucket: entry.lastBucket, sequence: entry.lastSequence) <= start
    }
}
