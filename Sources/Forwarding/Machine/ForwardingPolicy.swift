/// Every number that forwarding goes by. Times in milliseconds.
public struct ForwardingPolicy: Equatable, Sendable {
    /// A batch is cut at so many events,
    public var batchEvents = 1_000
    /// or when its oldest event has waited so long,
    public var batchMilliseconds: Int64 = 1_000
    /// and never holds more bytes, unless a single line does.
    public var batchBytes = 1 << 20
    /// A server that has not answered for so long does not keep others from being used.
    public var stallMilliseconds: Int64 = 3_000
    /// The first pause after a failure; it doubles up to the longest. Half of each is chance.
    public var firstPauseMilliseconds: Int64 = 250
    public var longestPauseMilliseconds: Int64 = 30_000
    /// A server that wants a longer pause is not believed.
    public var longestRetryAfterMilliseconds: Int64 = 300_000
    /// An answer is made durable after so long where nothing else is written.
    public var saveMilliseconds: Int64 = 1_000
    /// Batches that servers refuse; beyond it no more are cut, and the spool fills.
    public var refusedBatches = 16

    public init() {}
}
