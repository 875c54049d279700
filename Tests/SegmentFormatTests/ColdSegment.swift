@testable import SegmentFormat

/// A day's cold segment: events of two segments by time, some of which came late, in four blocks, and a
/// commit of deliveries alone.
enum ColdSegment {
    static let fixture = "segments/cold-day.ndjson.zst"

    static let head = SegmentHead(
        store: WorkedExample.head.store, segment: SegmentNumber(3), salt: Salt(0xC01D_C01D_C01D_C01D),
        stream: .interactions, resolution: .tenMinutes, created: WorkedExample.midnight.milliseconds + 90_000_000,
        horizon: .earliest, replaced: [SegmentNumber(1), SegmentNumber(2)])

    /// In order of arrival; the sequences that are missing are of other days.
    private static let arrivals: [(sequence: UInt64, tenMinutes: UInt64)] = [
        (1, 1), (2, 0), (3, 0), (4, 1), (5, 1), (7, 2), (8, 2), (9, 0), (10, 3), (11, 3), (12, 2), (15, 4), (16, 4),
        (17, 1), (18, 5), (19, 140), (20, 141), (21, 143),
    ]
    /// How many of them, by time, make each block.
    private static let blockLines = [3, 6, 6, 3]

    static let lines: [ColdLine] = arrivals.map { arrival in
        var line = ColdLine(hour: 0, sequence: arrival.sequence)
        line.bucket = Bucket(milliseconds: WorkedExample.midnight.milliseconds + arrival.tenMinutes * 600_000)
        line.text = #"{"timestamp":\#(line.bucket.milliseconds),"n":\#(arrival.sequence)}"# + "\n"
        return line
    }.sorted { ($0.bucket, $0.sequence) < ($1.bucket, $1.sequence) }

    private static func outcome(_ first: UInt64, _ accepted: UInt32) -> DeliveryOutcome {
        DeliveryOutcome(
            firstSequence: Sequence(first), accepted: accepted, discarded: 1,
            time: WorkedExample.midnight.milliseconds + first * 600_000)
    }

    private static let keyed = (1...3).map { number in
        KeyedDelivery(
            key: Hash128(low: number, high: ~number), fingerprint: Hash128(low: number << 32, high: 5),
            outcome: outcome(number * 4, 3))
    }

    private static let sources = (1...2).map { number in
        SourceDelivery(
            source: SourceEpoch(source: Hash128(low: 7, high: number), epoch: 9), number: number + 40,
            outcome: outcome(number * 8, 2))
    }

    static var segment: SegmentBuilder {
        var segment = SegmentBuilder(head)
        var rest = lines[...]
        for count in blockLines {
            segment.commit(ColdBlockTests.block(Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        segment.commit(nil, keyed: keyed, sourced: [sources[1]])
        segment.sources = sources
        return segment
    }
}
