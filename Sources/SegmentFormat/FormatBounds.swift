/// The bounds of version 1 of the format. A length from disk is compared with its bound before
/// anything is allocated for it (SPEC F3, B2, B3, K1).
public enum FormatBounds {
    /// Lines of one block. A raw block of 4 MiB cannot hold more of them than this.
    public static let blockLines = 1_048_576
    /// Decoded bytes of one block.
    public static let blockRawBytes = 4 << 20
    /// Bytes of one data frame: the raw bound and what framing may add.
    public static let blockStoredBytes = (4 << 20) + (64 << 10)
    /// Blocks of one commit.
    public static let commitBlocks = 65_536
    /// Deliveries, of each kind, in one meta or seal.
    public static let deliveries = 131_072
    /// Sequences, generations and segment numbers stay below it, so that none can overflow by growing.
    public static let counters = UInt64(Int64.max)
    /// Bytes of a segment file.
    public static let fileBytes: UInt64 = 1 << 40
    /// Decoded bytes of every LZ4 block but the last of a frame: runs are read in these steps.
    public static let lz4BlockBytes = 65_536
}
