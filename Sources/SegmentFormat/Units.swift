/// A position in a stream's order of arrival: 1 for the first event, never reused (SPEC E2).
public struct Sequence: Hashable, Comparable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static let first = Sequence(1)

    public static func < (a: Sequence, b: Sequence) -> Bool { a.value < b.value }
    public static func + (a: Sequence, lines: Int) -> Sequence { Sequence(a.value + UInt64(lines)) }
}

/// A floored timestamp, in milliseconds since 1970-01-01T00:00:00Z.
public struct Bucket: Hashable, Comparable, Sendable {
    public var milliseconds: UInt64
    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }
    public static let earliest = Bucket(milliseconds: 0)
    public static let latest = Bucket(milliseconds: .max)

    public static func < (a: Bucket, b: Bucket) -> Bool { a.milliseconds < b.milliseconds }
}

/// The width of a bucket. Divides 24 hours; divides one second or is a whole number of seconds, so
/// that flooring a timestamp given in seconds leaves a whole number of seconds (SPEC T2).
public struct Resolution: Hashable, Sendable {
    public let milliseconds: UInt64
    public static let tenMinutes = Resolution(unchecked: 600_000)
    public static let oneHour = Resolution(unchecked: 3_600_000)
    public static let oneMillisecond = Resolution(unchecked: 1)

    private init(unchecked milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// `nil` where `milliseconds` is no legal width.
    public init?(milliseconds: UInt64) {
        let day: UInt64 = 86_400_000
        guard milliseconds > 0, day % milliseconds == 0 else { return nil }
        guard 1_000 % milliseconds == 0 || milliseconds % 1_000 == 0 else { return nil }
        self.milliseconds = milliseconds
    }

    /// The bucket that holds a moment, in milliseconds.
    @inlinable
    public func bucket(of moment: UInt64) -> Bucket {
        Bucket(milliseconds: moment - moment % milliseconds)
    }
}

/// The number in a segment's file name: 1 for a store's first, never reused.
public struct SegmentNumber: Hashable, Comparable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public var next: SegmentNumber { SegmentNumber(value + 1) }
    public static func < (a: SegmentNumber, b: SegmentNumber) -> Bool { a.value < b.value }
}

/// The number of a commit in its segment: 1 for the first (SPEC C1).
public struct CommitNumber: Hashable, Comparable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static let none = CommitNumber(0)
    public var next: CommitNumber { CommitNumber(value + 1) }
    public static func < (a: CommitNumber, b: CommitNumber) -> Bool { a.value < b.value }
}

/// 64 random bits, made with a store.
public struct StoreID: Hashable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// 64 random bits that seed the checksums of one segment file (SPEC F6).
public struct Salt: Hashable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    /// The seed of frames that no salt precedes: heads, manifests and active marks.
    public static let none = Salt(0)
}

/// 128 bits of a hash, the low half first on disk.
public struct Hash128: Hashable, Sendable {
    public var low: UInt64
    public var high: UInt64
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}
