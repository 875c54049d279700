import SegmentFormat

public struct PurgeOptions: Sendable {
    /// Instead of the stream's own, this once.
    public var policy: RetentionPolicy?
    /// Only say what would be done.
    public var isDryRun = false
    /// Purge though the clock is far ahead of what the store has seen.
    public var allowsStep = false
    /// How far that is, in milliseconds.
    public var maxStep: UInt64 = 8 * 86_400_000
    /// How long reads of what goes may take to end, in milliseconds.
    public var readerGrace: UInt64 = 30_000
    public var compaction = CompactionOptions()

    public init() {}
}

public struct PurgeReport: Sendable {
    /// What was to be done; of what was deferred too.
    public var plan: PurgePlan
    /// Segments that are still on the disk, whole.
    public var deferred: [Deferral] = []
    /// Bytes of the disk that the segments took less than before.
    public var freedBytes: UInt64 = 0
    /// RESERVE, which had to be given up, could be allocated again.
    public var hasReserve = true
    /// Why events stay that the policies want gone: the checkpoints of the stream's view do not hold them.
    public var heldBack: String?

    /// The plan without what was deferred.
    public var done: PurgePlan {
        let left = Set(deferred.map(\.segment.number))
        var done = plan
        done.segments.removeAll { left.contains($0.number) }
        return done
    }

    public struct Deferral: Sendable {
        public let segment: PurgedSegment
        /// Bytes that are wanted to write it anew; `nil` where something else is in the way.
        public let bytesWanted: UInt64?
        public let reason: String
    }
}
