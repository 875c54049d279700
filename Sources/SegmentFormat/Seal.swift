// The last frame of a finished segment (SPEC §6).

/// One block as the block index has it: enough to plan a scan without reading the block.
public struct BlockIndexEntry: Hashable, Sendable {
    static let byteCount = 64

    public var offset: UInt64
    public var firstBucket: Bucket
    public var lastBucket: Bucket
    public var firstSequence: Sequence
    public var lastSequence: Sequence
    public var metaLength: Int
    public var dataLength: Int
    public var lines: Int
    public var rawLength: Int
    public var commit: CommitNumber

    public init(_ meta: BlockMeta, offset: UInt64, metaLength: Int) {
        self.offset = offset
        firstBucket = meta.firstBucket
        lastBucket = meta.lastBucket
        firstSequence = meta.firstSequence
        lastSequence = meta.lastSequence
        self.metaLength = metaLength
        dataLength = meta.storedLength
        lines = meta.lines
        rawLength = meta.rawLength
        commit = meta.commit
    }

    public var end: UInt64 { offset + UInt64(metaLength) + UInt64(dataLength) }
    /// All lines are of one bucket, in order of arrival.
    public var isSingleBucket: Bool { firstBucket == lastBucket }

    func put(into writer: inout ByteWriter) {
        writer.put(offset)
        writer.put(firstBucket.milliseconds)
        writer.put(lastBucket.milliseconds)
        writer.put(firstSequence.value)
        writer.put(lastSequence.value)
        writer.put(UInt32(metaLength))
        writer.put(UInt32(dataLength))
        writer.put(UInt32(lines))
        writer.put(UInt32(rawLength))
        writer.put(commit.value)
    }

    init(from reader: inout ByteReader) throws(FormatFault) {
        let start = reader.fault
        offset = try reader.u64()
        firstBucket = Bucket(milliseconds: try reader.u64())
        lastBucket = Bucket(milliseconds: try reader.u64())
        firstSequence = Sequence(try reader.u64())
        lastSequence = Sequence(try reader.u64())
        metaLength = Int(try reader.u32())
        dataLength = Int(try reader.u32())
        lines = Int(try reader.u32())
        rawLength = Int(try reader.u32())
        commit = CommitNumber(try reader.u64())
        guard isWithinBounds else { throw start }
    }

    private var isWithinBounds: Bool {
        offset <= FormatBounds.fileBytes
            && metaLength <= FrameKind.meta.bound + FrameHeader.lengthEnd
            && dataLength <= FormatBounds.blockStoredBytes
            && lines <= FormatBounds.blockLines && rawLength <= FormatBounds.blockRawBytes
            && firstSequence.value >= 1 && lastSequence.value < FormatBounds.counters
            && (lines == 0) == (firstBucket > lastBucket) && (lines == 0 || lastBucket < .latest)
    }
}

/// Sums over the blocks of a segment.
public struct SegmentTotals: Hashable, Sendable {
    public var blocks = 0
    public var lastCommit = CommitNumber.none
    public var lines: UInt64 = 0
    public var rawBytes: UInt64 = 0
    /// The lowest sequence, or, without lines, the one that would have come.
    public var firstSequence: Sequence
    public var nextSequence: Sequence
    public var firstBucket = Bucket.earliest
    public var lastBucket = Bucket.earliest

    public init(startingAt next: Sequence) {
        firstSequence = next
        nextSequence = next
    }

    var hasLegalSequences: Bool {
        firstSequence.value >= 1 && firstSequence <= nextSequence && nextSequence.value <= FormatBounds.counters
    }

    public mutating func add(_ entry: BlockIndexEntry) {
        blocks += 1
        lastCommit = entry.commit
        guard entry.lines > 0 else { return }
        firstBucket = lines == 0 ? entry.firstBucket : min(firstBucket, entry.firstBucket)
        lastBucket = lines == 0 ? entry.lastBucket : max(lastBucket, entry.lastBucket)
        firstSequence = lines == 0 ? entry.firstSequence : min(firstSequence, entry.firstSequence)
        lines += UInt64(entry.lines)
        rawBytes += UInt64(entry.rawLength)
        nextSequence = Sequence(max(nextSequence.value, entry.lastSequence.value + 1))
    }
}

public struct Seal: Equatable, Sendable {
    static let endMark: UInt32 = 0x454B_4244
    /// Bytes at the end of a sealed file that say where its seal begins.
    public static let tailByteCount = 8

    public var segment: SegmentNumber
    public var totals: SegmentTotals
    public var index: [BlockIndexEntry]
    public var keyed: [KeyedDelivery]
    public var sourced: [SourceDelivery]
    /// Of every byte before the seal.
    public var fileHash: Hash128
    /// Empty where the stream has no keys.
    public var keys: KeyIndex

    public init(
        segment: SegmentNumber, totals: SegmentTotals, index: [BlockIndexEntry], keyed: [KeyedDelivery],
        sourced: [SourceDelivery], fileHash: Hash128, keys: KeyIndex = .empty
    ) {
        self.segment = segment
        self.totals = totals
        self.index = index
        self.keyed = keyed
        self.sourced = sourced
        self.fileHash = fileHash
        self.keys = keys
    }

    public func encoded(salt: Salt) -> [UInt8] {
        var frame = FrameWriter(.seal)
        DeliveryList.put(keyed, sourced, into: &frame)
        frame.section(.totals) { putTotals(into: &$0) }
        frame.list(.blockIndex, index) { $0.put(into: &$1) }
        keys.put(into: &frame)
        frame.section(.fileHash) { $0.put(fileHash) }
        let endSectionBytes = 8 + Self.tailByteCount
        let length = UInt32(frame.byteCount + endSectionBytes)
        frame.section(.end) {
            $0.put(length)
            $0.put(Self.endMark)
        }
        return frame.finish(salt: salt)
    }

    /// Bytes of a seal that stand behind its key index: the filter, the file hash, the end.
    public static func bytesBehindKeyIndex(_ keys: KeyIndex) -> Int {
        let sectionHeader = 8
        return sectionHeader + keys.filter.bytes.count + sectionHeader + 16 + sectionHeader + tailByteCount
    }

    private func putTotals(into writer: inout ByteWriter) {
        writer.put(segment.value)
        writer.put(UInt32(totals.blocks))
        writer.put(UInt32(0))
        writer.put(totals.lastCommit.value)
        writer.put(totals.lines)
        writer.put(totals.rawBytes)
        writer.put(totals.firstSequence.value)
        writer.put(totals.nextSequence.value)
        writer.put(totals.firstBucket.milliseconds)
        writer.put(totals.lastBucket.milliseconds)
    }

    /// Reads the last `tailByteCount` bytes of a file: the length of the seal that ends there, or
    /// `nil` where none does. A seal is at most as long as its kind's bound allows.
    public static func frameLength(tail: UnsafeRawBufferPointer) -> Int? {
        guard tail.count == tailByteCount else { return nil }
        let length = Int(UInt32(littleEndian: tail.loadUnaligned(as: UInt32.self)))
        let mark = UInt32(littleEndian: tail.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard mark == endMark, length >= FrameHeader.byteCount + tailByteCount,
            length <= FrameKind.seal.bound + FrameHeader.lengthEnd
        else { return nil }
        return length
    }

    /// Decodes the seal at `offset`, which must be all of `bytes` (E1, E4, K1). The file hash is for
    /// the caller to compare: it needs the whole file.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, segment: SegmentNumber, salt: Salt
    ) throws(FormatFault) -> Seal {
        let sections = try Sections(
            bytes, at: offset, kind: .seal, salt: salt,
            allowed: [
                .deliveries, .sources, .totals, .blockIndex, .keyIndex, .keyFilter, .fileHash, .end,
            ])
        let keyed = try DeliveryList.keyed(sections)
        let sourced = try DeliveryList.sourced(sections)
        let totals = try takeTotals(try sections.required(.totals), segment: segment)
        let index = try sections.list(.blockIndex, bytesEach: BlockIndexEntry.byteCount, clause: .sealIndex) {
            (reader) throws(FormatFault) in try BlockIndexEntry(from: &reader)
        }
        let keys = try KeyIndex.take(sections, blocks: index.count)
        var hash = try sections.required(.fileHash)
        let fileHash = try hash.hash128()
        try hash.finished()
        var end = try sections.required(.end)
        let length = try end.u32()
        let mark = try end.u32()
        try end.finished()
        guard length == sections.frameLength, mark == endMark, bytes.count == sections.frameLength else {
            throw FormatFault(.sealEnd, at: end.origin)
        }
        let seal = Seal(
            segment: segment, totals: totals, index: index, keyed: keyed, sourced: sourced, fileHash: fileHash,
            keys: keys)
        guard seal.indexAgrees(sealOffset: offset) else { throw FormatFault(.sealIndex, at: offset) }
        return seal
    }

    private static func takeTotals(
        _ section: ByteReader, segment: SegmentNumber
    ) throws(FormatFault) -> SegmentTotals {
        var reader = section
        guard try reader.u64() == segment.value else { throw FormatFault(.sealIndex, at: reader.origin) }
        let blocks = Int(try reader.u32())
        try reader.zeros(4)
        let lastCommit = CommitNumber(try reader.u64())
        let lines = try reader.u64()
        let rawBytes = try reader.u64()
        var totals = SegmentTotals(startingAt: Sequence(try reader.u64()))
        totals.blocks = blocks
        totals.lastCommit = lastCommit
        totals.lines = lines
        totals.rawBytes = rawBytes
        totals.nextSequence = Sequence(try reader.u64())
        totals.firstBucket = Bucket(milliseconds: try reader.u64())
        totals.lastBucket = Bucket(milliseconds: try reader.u64())
        try reader.finished()
        guard totals.hasLegalSequences else { throw FormatFault(.sealIndex, at: reader.origin + 40) }
        return totals
    }

    private func indexAgrees(sealOffset: UInt64) -> Bool {
        var sum = SegmentTotals(startingAt: totals.firstSequence)
        for (entry, next) in zip(index, index.dropFirst()) where entry.end != next.offset { return false }
        if let last = index.last, last.end != sealOffset { return false }
        for entry in index { sum.add(entry) }
        return sum == totals
    }
}
