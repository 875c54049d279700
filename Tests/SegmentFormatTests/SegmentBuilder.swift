@testable import SegmentFormat

/// A segment file and where its frames lie, with every frame open to change before it is written.
struct SegmentBuilder {
    var head: SegmentHead
    /// Changes a frame's sections before it gets its checksum.
    var bend: (Frame, inout FrameForge) -> Void = { _, _ in }

    enum Frame: Equatable {
        case head
        case meta(Int)
        case seal
    }

    struct Block {
        var meta: BlockMeta
        var data: [UInt8]
    }
    var blocks: [Block] = []
    var sources: [SourceDelivery] = []

    init(_ head: SegmentHead) { self.head = head }

    /// Adds a commit of one block for each batch; the deliveries stand in its first.
    mutating func commit(_ batches: [LineBatch], keyed: [KeyedDelivery] = [], sourced: [SourceDelivery] = []) {
        let contents = batches.flatMap { BlockContent.blocks(of: $0) }
        let count = max(contents.count, 1)
        let commit = blocks.last?.meta.commit.next ?? CommitNumber(1)
        for index in 0..<count {
            let next = blocks.last.map { $0.meta.lastSequence + 1 } ?? .first
            var meta = BlockMeta(
                segment: head.segment, commit: commit, indexInCommit: index, blocksInCommit: count,
                nextSequence: next, keyed: index == 0 ? keyed : [], sourced: index == 0 ? sourced : [])
            if index < contents.count { meta.hold(contents[index]) }
            blocks.append(Block(meta: meta, data: index < contents.count ? contents[index].data : []))
        }
    }

    /// Adds a commit of one cold block, or, without one, of deliveries alone.
    mutating func commit(_ cold: ColdBlock?, keyed: [KeyedDelivery] = [], sourced: [SourceDelivery] = []) {
        let next = blocks.map(\.meta.lastSequence).max().map { $0 + 1 } ?? .first
        var meta = BlockMeta(
            segment: head.segment, commit: blocks.last?.meta.commit.next ?? CommitNumber(1), indexInCommit: 0,
            blocksInCommit: 1, nextSequence: cold?.firstSequence ?? next, keyed: keyed, sourced: sourced)
        if let cold { meta.hold(cold.content) }
        blocks.append(Block(meta: meta, data: cold?.content.data ?? []))
    }

    /// Gives a block another data frame, and the length and the hash to match.
    mutating func replaceData(ofBlock number: Int, with data: [UInt8]) {
        blocks[number].data = data
        blocks[number].meta.storedLength = data.count
        blocks[number].meta.dataHash = data.withUnsafeBytes { xxh3($0) }
    }

    /// The file without its seal.
    func unsealed() -> [UInt8] { framesBeforeSeal().bytes }

    func sealed() -> [UInt8] {
        let (bytes, index) = framesBeforeSeal()
        var totals = SegmentTotals(startingAt: .first)
        for entry in index { totals.add(entry) }
        let seal = Seal(
            segment: head.segment, totals: totals, index: index, keyed: blocks.flatMap(\.meta.keyed),
            sourced: sources, fileHash: bytes.withUnsafeBytes { xxh3Wide($0, seed: head.salt.value) })
        return bytes + bent(.seal, seal.encoded(salt: head.salt), salt: head.salt)
    }

    private func framesBeforeSeal() -> (bytes: [UInt8], index: [BlockIndexEntry]) {
        var bytes = bent(.head, head.encoded(), salt: .none)
        var index: [BlockIndexEntry] = []
        for (number, block) in blocks.enumerated() {
            let meta = bent(.meta(number), block.meta.encoded(salt: head.salt), salt: head.salt)
            index.append(BlockIndexEntry(block.meta, offset: UInt64(bytes.count), metaLength: meta.count))
            bytes += meta + block.data
        }
        return (bytes, index)
    }

    private func bent(_ frame: Frame, _ bytes: [UInt8], salt: Salt) -> [UInt8] {
        var forge = FrameForge(bytes)
        bend(frame, &forge)
        return forge.frame(salt: salt)
    }

    /// Where the meta frame of a block begins.
    func offset(ofBlock number: Int) -> Int { Int(framesBeforeSeal().index[number].offset) }
}

extension LineBatch {
    convenience init(_ lines: [(String, Bucket)]) {
        self.init()
        for (line, bucket) in lines {
            var text = line
            text.withUTF8 { append(UnsafeRawBufferPointer($0), bucket: bucket) }
        }
    }
}

/// The first thing wrong with a whole segment, as SPEC reads one; offsets count from its start. `visit` is
/// shown each block.
func firstFault(
    inSegment bytes: [UInt8], number: SegmentNumber = SegmentNumber(1),
    visit: (BlockMeta, UnsafeRawBufferPointer) throws(FormatFault) -> Void = { (_, _) throws(FormatFault) in }
) -> FormatFault? {
    bytes.decoded { (bytes) throws(FormatFault) in
        let (head, length) = try SegmentHead.decode(bytes)
        var position = length
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            let offset = UInt64(position)
            if FrameHeader.kind(rest) == .seal {
                _ = try Seal.decode(rest, at: offset, segment: number, salt: head.salt)
                return
            }
            let (meta, metaLength) = try BlockMeta.decode(rest, at: offset, segment: number, salt: head.salt)
            let data = UnsafeRawBufferPointer(rebasing: rest.dropFirst(metaLength).prefix(meta.storedLength))
            try BlockData.verify(data, of: meta, at: offset + UInt64(metaLength))
            try visit(meta, data)
            position += metaLength + data.count
        }
    }.fault
}
