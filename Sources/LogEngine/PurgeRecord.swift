import SegmentFormat

/// What a purge takes of a segment.
public struct PurgedSegment: Equatable, Sendable {
    public enum Action: String, Sendable {
        case dropped
        case rewritten
    }

    public let number: SegmentNumber
    public let path: String
    /// XXH3-128 of the file; 0 while it takes appends.
    public let hash: Hash128
    public let action: Action
    /// Events that go.
    public let events: UInt64
    /// Bytes of the disk that they take, of a segment that is written anew about.
    public let bytes: UInt64
    /// Of what goes; `nil` where nothing does but the file.
    public let oldest: Bucket?
    public let newest: Bucket?
    /// The highest that goes; 0 where none does.
    let lastSequence: Sequence
}

/// What a purge is to do, or has done.
public struct PurgePlan: Equatable, Sendable {
    public let stream: StreamName
    public let policy: RetentionPolicy
    public let horizonBefore: Bucket
    public let horizonAfter: Bucket
    /// Where the policies wanted the horizon, and the hold that stopped it.
    public let wanted: Bucket
    public let stoppedBy: Hold?
    public internal(set) var segments: [PurgedSegment]

    public var events: UInt64 { segments.reduce(0) { $0 + $1.events } }
    public var bytes: UInt64 { segments.reduce(0) { $0 + $1.bytes } }
    public var oldest: Bucket? { segments.compactMap(\.oldest).min() }
    public var newest: Bucket? { segments.compactMap(\.newest).max() }

    /// The record of the stream `audit` (SPEC U8), without its LF.
    ///
    /// - Parameter time: milliseconds, floored.
    public func record(at time: UInt64) -> String {
        let list = segments.map { segment in
            #"{"number":\#(segment.number.value),"hash":"\#(segment.hash.hex)","events":\#(segment.events)"#
                + #","bytes":\#(segment.bytes),"oldest":\#(Self.text(segment.oldest))"#
                + #","newest":\#(Self.text(segment.newest)),"action":"\#(segment.action.rawValue)"}"#
        }
        let policy =
            #"{"max_age":\#(Self.text(policy.maxAgeMilliseconds)),"max_bytes":\#(Self.text(policy.maxBytes))"#
            + #","min_free":\#(Self.text(policy.minFreeBytes))}"#
        return #"{"timestamp":\#(time),"type":"purge","stream":"\#(stream)","policy":\#(policy)"#
            + #","horizon_before":\#(horizonBefore.milliseconds),"horizon_after":\#(horizonAfter.milliseconds)"#
            + #","events":\#(events),"bytes":\#(bytes),"oldest":\#(Self.text(oldest)),"newest":\#(Self.text(newest))"#
            + #","segments":[\#(list.joined(separator: ","))]}"#
    }

    private static func text(_ value: UInt64?) -> String { value.map(String.init) ?? "null" }
    private static func text(_ bucket: Bucket?) -> String { text(bucket?.milliseconds) }
}
