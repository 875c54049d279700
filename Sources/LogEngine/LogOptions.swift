import SegmentFormat

/// How a log is opened.
public struct LogOptions: Sendable {
    public var stream = StreamName.interactions
    /// Whether a store is made where there is none; else that is an error, and nothing is made.
    public var makesStore = true
    /// `nil`: the store's own, or 10 minutes where it is made.
    public var resolution: Resolution?
    /// Raw bytes after which a segment is sealed.
    public var sealBytes = 256 << 20
    /// Age at which a segment is sealed.
    public var sealMilliseconds: UInt64 = 3_600_000
    /// Bytes of the file system that are held in RESERVE, for what must be written though the disk is full.
    public var reserveBytes: UInt64 = 64 << 20

    /// `nil`: events have no keys.
    public var keys: StreamKeys?

    public init() {}
}
