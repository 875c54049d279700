/// Keeps to a number of bytes a second. Pure: the caller tells the time, and sleeps.
struct Pace {
    /// `nil`: as fast as it goes.
    let bytesPerSecond: UInt64?
    private var bytes: UInt64 = 0

    init(bytesPerSecond: UInt64?) { self.bytesPerSecond = bytesPerSecond }

    mutating func take(_ more: Int) { bytes += UInt64(more) }

    /// How long to wait, so long after the beginning, until what was taken was due.
    func wait(after elapsed: Duration) -> Duration {
        guard let bytesPerSecond, bytesPerSecond > 0 else { return .zero }
        let due =
            Duration.seconds(bytes / bytesPerSecond) + .seconds(1)
            * (Double(bytes % bytesPerSecond) / Double(bytesPerSecond))
        return max(.zero, due - elapsed)
    }
}
