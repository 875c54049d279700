import SegmentFormat
import Synchronization

/// What the engine has to know of a stream whose events are found, and erased, by a key. What a key is of, it
/// never learns.
public struct StreamKeys: Sendable {
    /// The key of a stored line, without its LF; `nil` where it has none. A keyed hash: its bits are even.
    public var key: @Sendable (UnsafeRawBufferPointer) -> Hash128?
    /// Whether cold segments keep from everyone in which order the events of a bucket came.
    public var hidesArrival: Bool
    /// `nil`: every line counts.
    public var succession: Succession?

    /// Of streams in which later lines make earlier ones needless.
    public struct Succession: Sendable {
        /// Whether a durable line makes this one needless. What was so once is so for ever.
        public var isSuperseded: @Sendable (UnsafeRawBufferPointer, Bucket) -> Bool
        /// Lines of the stream that are not.
        public var lines: @Sendable () -> UInt64

        public init(
            lines: @escaping @Sendable () -> UInt64,
            isSuperseded: @escaping @Sendable (UnsafeRawBufferPointer, Bucket) -> Bool
        ) {
            self.lines = lines
            self.isSuperseded = isSuperseded
        }
    }

    public init(hidesArrival: Bool, key: @escaping @Sendable (UnsafeRawBufferPointer) -> Hash128?) {
        self.key = key
        self.hidesArrival = hidesArrival
    }
}

extension Hash128 {
    /// The half that segments find blocks by.
    public var indexed: UInt64 { low }
}

/// The keys of the active segment. One writer adds to it while readers look; they know how many blocks are
/// theirs.
final class ActiveKeys: Sendable {
    private struct Pair {
        var block: UInt32
        /// Of the same key, and 1; 0 where there is none.
        var previous: UInt32
    }

    private struct State {
        var pairs: [Pair] = []
        /// The newest pair of a key, and 1.
        var newest: [UInt64: UInt32] = [:]
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.pairs.count } }

    func add(_ keys: [UInt64], block: Int) {
        guard !keys.isEmpty else { return }
        state.withLock { state in
            for key in keys {
                let previous = state.newest.updateValue(UInt32(state.pairs.count + 1), forKey: key)
                state.pairs.append(Pair(block: UInt32(block), previous: previous ?? 0))
            }
        }
    }

    /// The blocks below `limit` that hold events of a key, the newest first.
    func blocks(of key: UInt64, below limit: Int) -> [Int] {
        state.withLock { state in
            var blocks: [Int] = []
            var next = state.newest[key] ?? 0
            while next > 0 {
                let pair = state.pairs[Int(next) - 1]
                if pair.block < limit { blocks.append(Int(pair.block)) }
                next = pair.previous
            }
            return blocks
        }
    }

    var index: KeyIndex {
        state.withLock { state in
            var pairs: [(hash: UInt64, block: Int)] = []
            pairs.reserveCapacity(state.pairs.count)
            for (key, newest) in state.newest {
                var next = newest
                while next > 0 {
                    let pair = state.pairs[Int(next) - 1]
                    pairs.append((key, Int(pair.block)))
                    next = pair.previous
                }
            }
            return KeyIndex(pairs)
        }
    }
}

/// Where the events of a key are in a segment.
enum SegmentKeys: Sendable {
    /// Nothing says: every block may hold them.
    case unknown
    case active(ActiveKeys)
    case sealed(SealedKeys)

    /// In file order.
    func blocks(of key: UInt64, among count: Int) throws(StoreError) -> [Int] {
        switch self {
        case .unknown: Array(0..<count)
        case .active(let keys): keys.blocks(of: key, below: count).reversed()
        case .sealed(let keys): try keys.blocks(of: key)
        }
    }

    var memoryBytes: Int {
        if case .sealed(let keys) = self { keys.filter.bytes.count } else { 0 }
    }
}

/// The keys of a sealed segment. The filter is kept; the index stays in the file, which was checked whole when
/// the segment was opened, and is read where it is searched.
struct SealedKeys: Sendable {
    private static let pageEntries = 340

    let filter: KeyFilter
    private let file: StoreFile
    private let offset: UInt64
    private let count: Int

    /// `sealEnd`: where the file ends.
    init(_ keys: KeyIndex, _ file: StoreFile, sealEnd: UInt64) {
        filter = keys.filter
        count = keys.count
        self.file = file
        offset = sealEnd - UInt64(Seal.bytesBehindKeyIndex(keys)) - UInt64(keys.entries.count)
    }

    func blocks(of key: UInt64) throws(StoreError) -> [Int] {
        guard filter.mayHold(key) else { return [] }
        let pages = (count + Self.pageEntries - 1) / Self.pageEntries
        // The page behind the one where the key begins is the first that begins at or above it.
        let behind = try KeyIndex.firstIndex(of: key, count: pages) { (page) throws(StoreError) in
            try entries(page * Self.pageEntries, 1)[0].hash
        }
        var (blocks, page) = ([Int](), max(behind, 1) - 1)
        while page < pages {
            let entries = try entries(page * Self.pageEntries, min(Self.pageEntries, count - page * Self.pageEntries))
            for entry in entries where entry.hash == key { blocks.append(entry.block) }
            guard let last = entries.last, last.hash <= key else { break }
            page += 1
        }
        return blocks
    }

    private func entries(_ first: Int, _ count: Int) throws(StoreError) -> [(hash: UInt64, block: Int)] {
        let wanted = count * KeyIndex.entryBytes
        let bytes = try file.read(wanted, at: offset + UInt64(first * KeyIndex.entryBytes))
        guard bytes.count == wanted else { throw .corrupt(file.path, "the file ends in its key index") }
        return bytes.withUnsafeBytes { bytes in (0..<count).map { KeyIndex.entry(bytes, $0) } }
    }
}
