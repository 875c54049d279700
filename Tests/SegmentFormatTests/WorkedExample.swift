@testable import SegmentFormat

/// The worked example of SPEC.md: one commit of two blocks, then the seal. The first block's buckets
/// came out of order, and the batch has a key.
enum WorkedExample {
    static let fixture = "segments/worked-example.ndjson.lz4"

    /// 2026-01-01T00:00:00Z.
    static let midnight = Bucket(milliseconds: 1_767_225_600_000)
    static let tenPast = Bucket(milliseconds: 1_767_226_200_000)

    static let lines: [(String, Bucket)] = [
        (#"{"timestamp":1767226200000,"type":"click"}"#, tenPast),
        (#"{"timestamp":1767225600000,"type":"open"}"#, midnight),
        (#"{"timestamp":1767226200000,"type":"close"}"#, tenPast),
        (#"{"timestamp":1767226200000}"#, tenPast),
    ]

    static let head = SegmentHead(
        store: StoreID(0x0123_4567_89AB_CDEF), segment: SegmentNumber(1), salt: Salt(0x5A17_5A17_5A17_5A17),
        stream: .interactions, resolution: .tenMinutes, created: midnight.milliseconds, horizon: .earliest)

    static let delivery = KeyedDelivery(
        key: Hash128(low: 0x1111_1111_1111_1111, high: 0x2222_2222_2222_2222),
        fingerprint: Hash128(low: 0x3333_3333_3333_3333, high: 0x4444_4444_4444_4444),
        outcome: DeliveryOutcome(firstSequence: .first, accepted: 4, discarded: 0, time: tenPast.milliseconds))

    static var segment: SegmentBuilder {
        var segment = SegmentBuilder(head)
        segment.commit([LineBatch(Array(lines[..<3])), LineBatch(Array(lines[3...]))], keyed: [delivery])
        return segment
    }

    static var bytes: [UInt8] { segment.sealed() }
}
