/// A finished segment as the manifest has it.
public struct SegmentEntry: Hashable, Sendable {
    static let byteCount = 120
    static let hotDay: UInt32 = .max

    public var segment: SegmentNumber
    /// Also in the head, which may be what is damaged.
    public var salt: Salt
    public var length: UInt64
    public var fileHash: Hash128
    public var firstSequence: Sequence
    public var nextSequence: Sequence
    public var firstBucket: Bucket
    public var lastBucket: Bucket
    public var lines: UInt64
    public var rawBytes: UInt64
    /// Milliseconds, floored to the resolution.
    public var sealed: UInt64
    /// Days since 1970 for a cold segment.
    public var day: UInt32?
    public var blocks: Int
    public var deliveries: Int
    /// It has bad bytes below its last commit, and no seal.
    public var isDamaged: Bool

    public init(
        segment: SegmentNumber, salt: Salt, length: UInt64, fileHash: Hash128, totals: SegmentTotals,
        sealed: UInt64, day: UInt32? = nil, deliveries: Int, isDamaged: Bool
    ) {
        self.segment = segment
        self.salt = salt
        self.length = length
        self.fileHash = fileHash
        firstSequence = totals.firstSequence
        nextSequence = totals.nextSequence
        firstBucket = totals.firstBucket
        lastBucket = totals.lastBucket
        lines = totals.lines
        rawBytes = totals.rawBytes
        self.sealed = sealed
        self.day = day
        blocks = totals.blocks
        self.deliveries = deliveries
        self.isDamaged = isDamaged
    }

    func put(into writer: inout ByteWriter) {
        writer.put(segment.value)
        writer.put(salt.value)
        writer.put(length)
        writer.put(fileHash)
        writer.put(firstSequence.value)
        writer.put(nextSequence.value)
        writer.put(firstBucket.milliseconds)
        writer.put(lastBucket.milliseconds)
        writer.put(lines)
        writer.put(rawBytes)
        writer.put(sealed)
        writer.put(day ?? Self.hotDay)
        writer.put(UInt32(blocks))
        writer.put(UInt32(deliveries))
        writer.put(UInt32((isDamaged ? 1 : 0) | (day != nil ? 2 : 0)))
        writer.put(UInt64(0))
    }

    init(from reader: inout ByteReader) throws(FormatFault) {
        let start = reader.fault
        segment = SegmentNumber(try reader.u64())
        salt = Salt(try reader.u64())
        length = try reader.u64()
        fileHash = try reader.hash128()
        firstSequence = Sequence(try reader.u64())
        nextSequence = Sequence(try reader.u64())
        firstBucket = Bucket(milliseconds: try reader.u64())
        lastBucket = Bucket(milliseconds: try reader.u64())
        lines = try reader.u64()
        rawBytes = try reader.u64()
        sealed = try reader.u64()
        let rawDay = try reader.u32()
        day = rawDay == Self.hotDay ? nil : rawDay
        blocks = Int(try reader.u32())
        deliveries = Int(try reader.u32())
        let flags = try reader.u32()
        isDamaged = flags & 1 != 0
        guard flags & ~3 == 0, (flags & 2 != 0) == (day != nil), length <= FormatBounds.fileBytes,
            firstSequence.value >= 1, firstSequence <= nextSequence, nextSequence.value <= FormatBounds.counters
        else { throw start }
        try reader.zeros(8)
    }
}
