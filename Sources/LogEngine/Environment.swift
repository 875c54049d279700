import Glibc

/// What the engine takes from the outside: the disk, the time, randomness.
public struct Environment: Sendable {
    public var disk: any Disk
    /// Milliseconds since 1970.
    public var now: @Sendable () -> UInt64
    public var random: @Sendable () -> UInt64
    /// Nanoseconds of a clock that nobody sets, since any moment.
    public var uptime: @Sendable () -> UInt64

    public init(
        disk: any Disk, now: @escaping @Sendable () -> UInt64, random: @escaping @Sendable () -> UInt64,
        uptime: @escaping @Sendable () -> UInt64
    ) {
        self.disk = disk
        self.now = now
        self.random = random
        self.uptime = uptime
    }

    /// The machine's own.
    public static var system: Environment {
        Environment(
            disk: PosixDisk(), now: { nanoseconds(of: CLOCK_REALTIME) / 1_000_000 },
            random: { UInt64.random(in: .min ... .max) }, uptime: { nanoseconds(of: CLOCK_MONOTONIC) })
    }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
