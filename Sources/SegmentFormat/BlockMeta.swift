// The meta frame of a block (SPEC §4).

/// How a data frame is compressed.
public enum Codec: UInt8, Sendable {
    case none = 0
    case lz4 = 1
    case zstandard = 2
}

/// What a block knows of the sequences of its lines (SPEC Q1).
public enum Arrangement: Hashable, Sendable {
    /// Line i has sequence first + i.
    case arrival
    /// For each line, its sequence less the block's first.
    case perLine([UInt64])
    /// Only the block's first and last sequence are known.
    case perBlock

    var rawValue: UInt8 {
        switch self {
        case .arrival: 0
        case .perLine: 1
        case .perBlock: 2
        }
    }
}

/// Everything about a block except its lines.
public struct BlockMeta: Hashable, Sendable {
    public var segment: SegmentNumber
    public var commit: CommitNumber
    public var indexInCommit: Int
    public var blocksInCommit: Int
    public var firstSequence: Sequence
    public var lastSequence: Sequence
    public var lines: Int
    public var rawLength: Int
    public var storedLength: Int
    public var codec: Codec
    public var dataHash: UInt64
    public var runs: [Run]
    public var arrangement: Arrangement
    public var keyed: [KeyedDelivery]
    public var sourced: [SourceDelivery]

    /// A block that carries deliveries and no lines.
    public init(
        segment: SegmentNumber, commit: CommitNumber, indexInCommit: Int, blocksInCommit: Int,
        nextSequence: Sequence, keyed: [KeyedDelivery], sourced: [SourceDelivery]
    ) {
        self.segment = segment
        self.commit = commit
        self.indexInCommit = indexInCommit
        self.blocksInCommit = blocksInCommit
        firstSequence = nextSequence
        lastSequence = Sequence(nextSequence.value - 1)
        lines = 0
        rawLength = 0
        storedLength = 0
        codec = .none
        dataHash = 0
        runs = []
        arrangement = .arrival
        self.keyed = keyed
        self.sourced = sourced
    }

    /// The same place with lines: `content` as encoded, its lowest sequence being `nextSequence`.
    public mutating func hold(_ content: BlockContent) {
        lastSequence = Sequence(firstSequence.value + UInt64(content.sequences) - 1)
        lines = content.lines
        rawLength = content.rawLength
        storedLength = content.data.count
        codec = content.codec
        dataHash = content.dataHash
        runs = content.runs
        arrangement = content.arrangement
    }

    public var firstBucket: Bucket { runs.first?.bucket ?? .latest }
    public var lastBucket: Bucket { runs.last?.bucket ?? .earliest }

    public func encoded(salt: Salt) -> [UInt8] {
        var frame = FrameWriter(.meta)
        frame.section(.block) { putBlock(into: &$0) }
        if lines > 0 { frame.section(.runs) { putRuns(into: &$0) } }
        if case .perLine(let offsets) = arrangement { frame.section(.sequenceColumn) { putColumn(offsets, into: &$0) } }
        DeliveryList.put(keyed, sourced, into: &frame)
        return frame.finish(salt: salt)
    }

    private func putBlock(into writer: inout ByteWriter) {
        writer.put(segment.value)
        writer.put(commit.value)
        writer.put(UInt32(indexInCommit))
        writer.put(UInt32(blocksInCommit))
        writer.put(firstSequence.value)
        writer.put(lastSequence.value)
        writer.put(UInt32(lines))
        writer.put(UInt32(rawLength))
        writer.put(UInt32(storedLength))
        writer.put(codec.rawValue)
        writer.put(arrangement.rawValue)
        writer.put(UInt16(0))
        writer.put(dataHash)
    }

    private func putRuns(into writer: inout ByteWriter) {
        writer.putVarint(UInt64(runs.count))
        var before: UInt64 = 0
        for run in runs {
            writer.putVarint(run.bucket.milliseconds - before)
            writer.putVarint(UInt64(run.lines))
            writer.putVarint(UInt64(run.bytes))
            before = run.bucket.milliseconds
        }
    }

    private func putColumn(_ offsets: [UInt64], into writer: inout ByteWriter) {
        var line = 0
        for run in runs {
            writer.putVarint(offsets[line])
            for next in line + 1..<line + run.lines { writer.putVarint(offsets[next] - offsets[next - 1]) }
            line += run.lines
        }
    }
}
