/// Now, on two clocks.
public struct Moment: Equatable, Sendable {
    /// Milliseconds on a clock that never goes back.
    public var ticks: Int64
    /// Milliseconds since 1970.
    public var wall: UInt64

    public init(ticks: Int64, wall: UInt64) {
        self.ticks = ticks
        self.wall = wall
    }
}
