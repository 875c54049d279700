// Where a segment's events of a key are (SPEC §6): pairs of a key's hash and a block, and a filter that says
// for most keys that there are none. Hashes are of keyed hashes, so their bits are even already.

/// The keys of a segment, in the bytes of its seal.
public struct KeyIndex: Equatable, Sendable {
    public static let entryBytes = 12

    /// Entries of `entryBytes`, rising by hash, then by block.
    public let entries: [UInt8]
    public let filter: KeyFilter

    public static let empty = KeyIndex([])

    /// Pairs of a hash and a block's place in the block index, in any order, some more than once.
    public init(_ pairs: [(hash: UInt64, block: Int)]) {
        let sorted = pairs.sorted { ($0.hash, $0.block) < ($1.hash, $1.block) }
        var (writer, hashes) = (ByteWriter(), [UInt64]())
        var last: (hash: UInt64, block: Int)?
        for pair in sorted where last.map({ $0 != pair }) ?? true {
            writer.put(pair.hash)
            writer.put(UInt32(pair.block))
            if hashes.last != pair.hash { hashes.append(pair.hash) }
            last = pair
        }
        entries = writer.bytes
        filter = KeyFilter(hashes)
    }

    public var count: Int { entries.count / Self.entryBytes }
    public var isEmpty: Bool { entries.isEmpty }

    /// The blocks that hold events of a key, rising.
    public func blocks(of hash: UInt64) -> [Int] {
        entries.withUnsafeBytes { bytes in
            var blocks: [Int] = []
            var index = Self.firstIndex(of: hash, count: count) { Self.entry(bytes, $0).hash }
            while index < count, case let entry = Self.entry(bytes, index), entry.hash == hash {
                blocks.append(entry.block)
                index += 1
            }
            return blocks
        }
    }

    /// The first of `count` rising hashes that is not below `hash`.
    public static func firstIndex<Failure: Error>(
        of hash: UInt64, count: Int, _ hashAt: (Int) throws(Failure) -> UInt64
    ) throws(Failure) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if try hashAt(middle) < hash { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The entry with a number, of entries that were checked.
    public static func entry(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> (hash: UInt64, block: Int) {
        let start = index * entryBytes
        let hash = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        return (hash, Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt32.self))))
    }
}

// MARK: - On disk

extension KeyIndex {
    func put(into frame: inout FrameWriter) {
        guard !isEmpty else { return }
        frame.section(.keyIndex) { $0.put(entries) }
        frame.section(.keyFilter) { $0.put(filter.bytes) }
    }

    /// The sections of a seal with `blocks` blocks (E1); empty where they are not there.
    static func take(_ sections: Sections, blocks: Int) throws(FormatFault) -> KeyIndex {
        let index = sections.optional(.keyIndex, clause: .sealIndex)
        let filter = sections.optional(.keyFilter, clause: .sealIndex)
        guard let index, let filter else {
            guard let alone = index ?? filter else { return .empty }
            throw alone.fault
        }
        try check(index, blocks: blocks)
        guard filter.remaining > 0, filter.remaining % KeyFilter.blockBytes == 0 else { throw filter.fault }
        return KeyIndex(entries: Array(index.bytes), filter: KeyFilter(bytes: Array(filter.bytes)))
    }

    private init(entries: [UInt8], filter: KeyFilter) {
        self.entries = entries
        self.filter = filter
    }

    private static func check(_ section: ByteReader, blocks: Int) throws(FormatFault) {
        var reader = section
        guard reader.remaining > 0, reader.remaining % entryBytes == 0 else { throw reader.fault }
        var last: (hash: UInt64, block: UInt32)?
        while reader.remaining > 0 {
            let start = reader.fault
            let next = (hash: try reader.u64(), block: try reader.u32())
            guard next.block < blocks, last.map({ $0 < next }) ?? true else { throw start }
            last = next
        }
    }
}

/// A split-block Bloom filter, as Apache Parquet has it (parquet-format, BloomFilter.md): blocks of 256 bits,
/// in each of whose eight words a key has one bit.
public struct KeyFilter: Equatable, Sendable {
    public static let blockBytes = 32
    /// About one key in a hundred that is not there passes.
    private static let bitsPerKey = 10
    private static let salts: [UInt32] = [
        0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
    ]

    public private(set) var bytes: [UInt8]

    /// No key passes one without bytes.
    init(bytes: [UInt8]) { self.bytes = bytes }

    init(_ hashes: [UInt64]) {
        let blocks = (hashes.count * Self.bitsPerKey + 255) / 256
        bytes = Array(repeating: 0, count: blocks * Self.blockBytes)
        for hash in hashes {
            for (byte, bit) in bits(of: hash) { bytes[byte] |= bit }
        }
    }

    /// False where no event has the key.
    public func mayHold(_ hash: UInt64) -> Bool {
        !bytes.isEmpty && bits(of: hash).allSatisfy { byte, bit in bytes[byte] & bit != 0 }
    }

    /// One in each word of the key's block: the byte that it is in, and its place there.
    private func bits(of hash: UInt64) -> some Swift.Sequence<(byte: Int, bit: UInt8)> {
        let block = Int(((hash >> 32) &* UInt64(bytes.count / Self.blockBytes)) >> 32)
        return Self.salts.enumerated().lazy.map { word, salt in
            let bit = Int((UInt32(truncatingIfNeeded: hash) &* salt) >> 27)
            return (block * Self.blockBytes + word * 4 + bit / 8, 1 << UInt8(bit % 8))
        }
    }
}
