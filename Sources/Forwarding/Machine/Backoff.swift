/// Pauses between tries: each twice as long as the one before, half of it by chance, so that many forwarders do
/// not come back at once. The chance is a seeded one: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Backoff: Sendable {
    private var state: UInt64
    private let first: Int64
    private let longest: Int64

    init(_ policy: ForwardingPolicy, seed: UInt64) {
        state = seed
        first = policy.firstPauseMilliseconds
        longest = policy.longestPauseMilliseconds
    }

    /// After so many failures in a row, at least 1.
    mutating func pause(failures: Int) -> Int64 {
        let doublings = min(failures - 1, 30)
        let (full, overflows) = first.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let pause = overflows ? longest : min(full, longest)
        return pause - Int64(next() % UInt64(pause / 2 + 1))
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
