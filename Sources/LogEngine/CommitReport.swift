/// What one commit made durable, and what it cost.
public struct CommitReport: Equatable, Sendable {
    /// Batches that it brought; repeats among them brought nothing.
    public let batches: Int
    public let events: Int
    /// Written to the segment.
    public let bytes: UInt64
    public let syncNanoseconds: UInt64
}
