import LogEngine
import Synchronization

/// A clock that stands still until it is moved.
public final class ManualClock: Sendable {
    private let time: Atomic<UInt64>
    private let passed = Atomic<UInt64>(0)

    public init(_ milliseconds: UInt64 = 1_795_000_000_000) { time = Atomic(milliseconds) }

    public var now: UInt64 { time.load(ordering: .relaxed) }
    /// By how much it was advanced, in nanoseconds. Setting it is not time that passes.
    public var uptime: UInt64 { passed.load(ordering: .relaxed) * 1_000_000 }
    public func advance(by milliseconds: UInt64) {
        time.add(milliseconds, ordering: .relaxed)
        passed.add(milliseconds, ordering: .relaxed)
    }
    public func set(_ milliseconds: UInt64) { time.store(milliseconds, ordering: .relaxed) }
}

/// The time and the randomness of a test. They go on across the disks and crashes of the test, so that
/// no salt comes twice.
public final class TestEnvironment: Sendable {
    public let clock: ManualClock
    private let random: Mutex<SeededRandom>

    public init(seed: UInt64 = 1, clock: ManualClock = ManualClock()) {
        self.clock = clock
        random = Mutex(SeededRandom(seed: seed))
    }

    public func on(_ disk: any Disk) -> Environment {
        Environment(
            disk: disk, now: { self.clock.now },
            random: { self.random.withLock { random in random.next() } }, uptime: { self.clock.uptime })
    }
}
