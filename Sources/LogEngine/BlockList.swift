import SegmentFormat

// The block index of a segment in memory. It grows while readers hold shorter copies of it: entries
// are written once, beyond the count of every copy that is out.

private final class BlockChunk: @unchecked Sendable {
    static let capacity = 512
    let entries = UnsafeMutablePointer<BlockIndexEntry>.allocate(capacity: BlockChunk.capacity)
    deinit { entries.deallocate() }
}

/// Only the newest copy is appended to, by one writer; older copies never look beyond their count.
struct BlockList: Sendable {
    private var chunks: [BlockChunk] = []
    private(set) var count = 0

    init() {}

    init(_ entries: some Swift.Sequence<BlockIndexEntry>) {
        for entry in entries { append(entry) }
    }

    var memoryBytes: Int { chunks.count * BlockChunk.capacity * MemoryLayout<BlockIndexEntry>.stride }

    subscript(index: Int) -> BlockIndexEntry {
        precondition(index < count)
        return chunks[index / BlockChunk.capacity].entries[index % BlockChunk.capacity]
    }

    mutating func append(_ entry: BlockIndexEntry) {
        if count == chunks.count * BlockChunk.capacity { chunks.append(BlockChunk()) }
        (chunks[count / BlockChunk.capacity].entries + count % BlockChunk.capacity).initialize(to: entry)
        count += 1
    }

    /// The first index whose entry's last sequence is at or above `sequence`, where entries rise by it.
    func firstIndex(reaching sequence: Sequence) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].lastSequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Of the first and of the last block that has lines.
    var firstSequence: Sequence? { (0..<count).lazy.map { self[$0] }.first { $0.lines > 0 }?.firstSequence }
    var lastSequence: Sequence? { (0..<count).reversed().lazy.map { self[$0] }.first { $0.lines > 0 }?.lastSequence }

    var entries: [BlockIndexEntry] { (0..<count).map { self[$0] } }
}
