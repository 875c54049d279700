import LogEngine

/// What the command line takes for now.
enum WallClock {
    /// Milliseconds since 1970; a test puts its own here.
    @TaskLocal static var now: @Sendable () -> UInt64 = Environment.system.now
}
