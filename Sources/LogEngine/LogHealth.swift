/// How a log does.
public struct LogHealth: Sendable {
    /// What poisoned it: it takes no more appends until it is opened again.
    public let failure: StoreError?
    /// Of the file system; `nil` where it cannot be asked.
    public let freeBytes: UInt64?
    /// With less free, appends are refused.
    public let leastFreeBytes: UInt64
    /// Raw bytes taken in and not durable yet.
    public let bytesInFlight: Int
    /// Appends that wait to be taken in.
    public let appendsBeforeAdmission: Int
    /// Appends that were taken in and wait for a commit.
    public let appendsBeforeCommit: Int
    /// How long the committer has been at the commit, or the work of a job, that it does now; 0 while it has
    /// none.
    public let committerNanoseconds: UInt64
    /// Appends that were refused, before anything of them was written, because they would have left too
    /// little free.
    public let appendsWithoutRoom: Int
}
