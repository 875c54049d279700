import SegmentFormat

/// Keeps the events of a share of the sessions, all or none of each: which, the session alone decides, so that
/// every webhead and every life of one decides the same.
public struct SessionSample: Equatable, Sendable {
    /// From 0, which keeps none, to 1.
    public let rate: Double

    public init?(rate: Double) {
        guard (0...1).contains(rate) else { return nil }
        self.rate = rate
    }

    public static let all = SessionSample(unchecked: 1)

    private init(unchecked rate: Double) { self.rate = rate }

    public func keeps(_ session: some Collection<UInt8>) -> Bool {
        guard rate < 1 else { return true }
        let place = Array(session).withUnsafeBytes { xxh3($0, seed: Self.seed) }
        // 53 bits, as many as a Double tells apart.
        return Double(place >> 11) * 0x1p-53 < rate
    }

    /// So that the sample does not go by the same numbers as anything else.
    private static let seed: UInt64 = 0x7361_6D70_6C65
}
