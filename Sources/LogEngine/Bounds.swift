import SegmentFormat

/// Every bound of the engine, and what happens beyond it (SPEC P7).
public enum Bounds {
    /// A batch of more raw bytes is refused as too large.
    public static let batchBytes = 16 << 20
    /// A batch of more lines is refused as too large.
    public static let batchLines = 100_000
    /// A line of more bytes, without its LF, is refused as too large.
    public static let lineBytes = 1 << 20
    /// A coded body that grows more than so many times is refused, once it is larger than the floor. Events grow
    /// about 11 times from Zstandard.
    public static let decodingRatio = 100
    public static let decodingFloor = 1 << 20
    /// Batches this large are compressed by whoever appends them; smaller ones share a block that the
    /// committer compresses.
    static let ownBlockBytes = 16 << 10
    /// Raw bytes taken in and not yet durable. Beyond it an append waits for its turn.
    public static let inFlightBytes = 64 << 20
    /// Appends waiting for their turn. Beyond it they are refused as busy.
    public static let waitingAppends = 1_024
    /// Raw bytes of one commit; what waits beyond it goes into the next.
    static let commitBytes = 32 << 20
    /// Appends of one commit.
    static let commitAppends = 16_384
    /// Lines of one commit; not above `sequenceReservation`.
    static let commitLines = 500_000
    /// Sequences reserved by one write of the manifest.
    static let sequenceReservation: UInt64 = 1 << 20
    /// A segment is sealed before its block index or its deliveries pass this.
    static let segmentBlocks = 131_072
    /// Cold segments are rid of superseded lines once they hold this many times the lines that are needed.
    static let supersededShare: UInt64 = 2
    /// Raw bytes of a cold block of a stream with keys: a read of one key decodes many of them.
    static let keyedBlockBytes = 64 << 10
    /// A segment is sealed before its key index passes this many pairs of key and block.
    static let segmentKeys = 1 << 20
    /// What the seal of a stream with keys takes beside: the index, and 10 bits a key of filter.
    static let keyRoom: UInt64 = 14 << 20
    /// Keys whose events are erased and not yet removed; another one is refused until a compaction.
    public static let tombstones = 100_000
    /// Keys are remembered this long, and no more of them than `rememberedKeys`, the oldest out first.
    static let keyMemoryMilliseconds: UInt64 = 86_400_000
    static let rememberedKeys = 1_000_000
    /// Sources remembered, the least recently seen out first.
    static let rememberedSources = 10_000
    /// Room that appends leave for what they bring about. A seal takes most of it: at most 8 MiB of block
    /// index, 7 MiB of deliveries and 0.6 MiB of sources.
    static let sealRoom: UInt64 = 16 << 20
    /// Bytes written, and time, after which the free space of the disk is asked for again.
    static let freeSpaceBytes: UInt64 = 16 << 20
    static let freeSpaceMilliseconds: UInt64 = 1_000
    /// Bytes that a scan may gather to bring lines into order; the lines of a larger bucket stream
    /// block by block.
    public static let scanBudget = 32 << 20
    /// What all scans may gather together; each takes at most half of what is left.
    static let scanPool = 96 << 20
    /// What a scan gets however little is left.
    static let scanFloor = 256 << 10
    /// Raw bytes that a scan hands out at a time where nothing asks for more.
    public static let scanChunk = 256 << 10
    /// A window is this many times what its end cuts off, as far as the budget goes: that is decoded twice.
    static let windowPerCut = 4
    /// Bytes of block indexes that are kept for sealed segments.
    static let indexCacheBytes = 32 << 20
    /// Sealed segments whose files are kept open.
    static let openSegments = 128
    /// Keyed deliveries of one block that a compaction writes: a meta frame holds no more than 4 MiB.
    static let blockDeliveries = 65_536
    /// What one pass of a compaction takes: segments, and raw bytes.
    static let passSegments = 1_024
    static let passBytes: UInt64 = 8 << 30
    /// A day's small cold segments become one when they are so many, and are joined with the rest of a day
    /// that is over when they are more than one part in so many of it.
    static let smallGenerations = 8
    static let smallGenerationShare: UInt64 = 10
    /// Holds of a stream; another is refused.
    public static let holds = 1_000
    /// Files of listed segments that a reader without the lock opens at once; of those beyond it, one that a
    /// writer removes meanwhile is missing.
    static let heldFiles = 512
    /// Days that one report lists; another goes on behind them.
    public static let reportedDays = 4_096
    /// Lines of a page.
    public static let pageLines = 10_000
}
