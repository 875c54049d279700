import Glibc

/// What the engine takes from the outside: the disk, the time, randomness.
public struct Environment: Sendable {
    public var disk: any Disk
    /// Milliseconds since 1970.
    public var now: @Sendable () -> UInt64
    public var random: @Sendable () -> UInt64

    public init(
        disk: any Disk, now: @escaping @Sendable () -> UInt64, random: @escaping @Sendable () -> UInt64
    ) {
        self.disk = disk
        self.now = now
        self.random = random
    }

    /// The machine's own.
    public static var system: Environment {
        Environment(disk: PosixDisk(), now: { systemTime() }, random: { UInt64.random(in: .min ... .max) })
    }

    private static func systemTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
