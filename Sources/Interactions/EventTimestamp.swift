import SegmentFormat
import StrictJSON

/// The moment of an event as clients write it: a whole number of seconds since 1970 below 10^11, of
/// milliseconds from there on (SPEC T1). What is written again keeps the unit.
public struct EventTimestamp: Equatable, Sendable {
    public static let smallest = EventBounds.timestamps.lowerBound
    /// The last millisecond of the year 9999.
    public static let largest = EventBounds.timestamps.upperBound
    static let smallestInMilliseconds: UInt64 = 100_000_000_000

    public let value: UInt64

    /// `nil` outside `smallest...largest`.
    @inline(__always)
    public init?(_ value: UInt64) {
        guard value >= Self.smallest, value <= Self.largest else { return nil }
        self.value = value
    }

    @inline(__always)
    private var millisecondsPerUnit: UInt64 { value < Self.smallestInMilliseconds ? 1_000 : 1 }

    /// The moment in milliseconds since 1970, whatever its unit.
    @inline(__always)
    public var milliseconds: UInt64 { value &* millisecondsPerUnit }

    /// The bucket of the moment, and the bucket's start in the unit of this timestamp. A stored value
    /// is not a timestamp to read again: it may be 0, and milliseconds may fall below 10^11.
    @inline(__always)
    func floored(to resolution: Resolution) -> (bucket: Bucket, stored: UInt64) {
        let bucket = resolution.bucket(of: milliseconds)
        return (bucket, bucket.milliseconds / millisecondsPerUnit)
    }
}
