import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What a pass of compaction takes")
struct CompactionPlanTests {
    private static let today: UInt32 = 20_775
    private static let segmentBytes: UInt64 = 1_000

    private func plan(_ segments: [SegmentEntry], excluding: Set<SegmentNumber> = []) -> [UInt64] {
        CompactionPlan.next(segments, today: Self.today, segmentBytes: Self.segmentBytes, excluding: excluding)
            .inputs.map(\.segment.value)
    }

    @Test("all sealed hot segments, and cold ones only where there is no hot one")
    func hotFirst() {
        let cold = (1...9).map { SegmentEntry.planned($0, day: Self.today - 2, bytes: 10) }
        #expect(plan(cold + [.planned(10), .planned(11)]) == [10, 11])
        #expect(plan(cold) == Array(1...9))
        #expect(plan([]).isEmpty)
    }

    @Test("a damaged segment is left alone, and so is an excluded one")
    func damaged() {
        var bad = SegmentEntry.planned(2)
        bad.isDamaged = true
        #expect(plan([.planned(1), bad, .planned(3), .planned(4)], excluding: [SegmentNumber(4)]) == [1, 3])
    }

    @Test("as many as a pass may hold: raw bytes, deliveries, segments; at least one")
    func bounds() {
        var large = SegmentEntry.planned(1)
        large.rawBytes = Bounds.passBytes + 1
        #expect(plan([large, .planned(2)]) == [1])
        var keyed = SegmentEntry.planned(1)
        keyed.deliveries = FormatBounds.deliveries
        var another = SegmentEntry.planned(2)
        another.deliveries = 1
        #expect(plan([keyed, another]) == [1])
        #expect(plan([keyed, .planned(2)]) == [1, 2])
        #expect(plan((1...2_000).map { .planned($0) }).count == Bounds.passSegments)
    }

    @Test("the small ones of a day that is over are joined with it when they pass a tenth")
    func tenth() {
        let day = Self.today - 1
        #expect(plan([.planned(1, day: day, bytes: 91), .planned(2, day: day, bytes: 9)]).isEmpty)
        #expect(plan([.planned(1, day: day, bytes: 89), .planned(2, day: day, bytes: 11)]) == [1, 2])
    }

    @Test("of a day that still grows only eight small ones become one, and its largest stays")
    func growing() {
        let base = SegmentEntry.planned(1, day: Self.today, bytes: 50)
        let small = (2...8).map { SegmentEntry.planned($0, day: Self.today, bytes: 40) }
        #expect(plan([base] + small).isEmpty)
        #expect(plan([base] + small + [.planned(9, day: Self.today, bytes: 1)]) == Array(2...9))
    }

    @Test("a segment that was cut at its bound is never touched again")
    func full() {
        let day = Self.today - 1
        let parts = [SegmentEntry.planned(1, day: day, bytes: 990), .planned(2, day: day, bytes: 950)]
        #expect(plan(parts + [.planned(3, day: day, bytes: 100)]).isEmpty)
        #expect(plan(parts + [.planned(3, day: day, bytes: 100), .planned(4, day: day, bytes: 200)]).isEmpty)
        #expect(plan(parts + [.planned(3, day: day, bytes: 300), .planned(4, day: day, bytes: 400)]) == [3, 4])
    }

    @Test("parts that would come out again as many are left alone")
    func parts() {
        let day = Self.today - 1
        #expect(plan([.planned(1, day: day, bytes: 800), .planned(2, day: day, bytes: 800)]).isEmpty)
        #expect(plan([.planned(1, day: day, bytes: 500), .planned(2, day: day, bytes: 400)]).isEmpty)
        #expect(plan([.planned(1, day: day, bytes: 500), .planned(2, day: day, bytes: 370)]) == [1, 2])
    }

    @Test("days are not mixed, and days to come are left alone until they are today")
    func days() {
        let day = Self.today - 1
        #expect(plan([.planned(1, day: day, bytes: 50), .planned(2, day: day - 1, bytes: 50)]).isEmpty)
        let early = (1...9).map { SegmentEntry.planned($0, day: Self.today + 1, bytes: 50) }
        #expect(plan(early).isEmpty)
        #expect(plan((1...9).map { .planned($0, day: Self.today, bytes: 50) }).count == 8)
    }

    @Test("segments that only remember deliveries become one")
    func carriers() {
        let carriers = (1...3).map { number in
            var entry = SegmentEntry.planned(number, day: Self.today - UInt32(number), bytes: 5)
            entry.lines = 0
            return entry
        }
        #expect(plan(carriers) == [1, 2, 3])
        #expect(plan([carriers[0]]).isEmpty)
    }

    @Test("passes come to an end, whatever the sizes are", arguments: 1...20)
    func ends(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var segments: [SegmentEntry] = []
        var number = 0
        for _ in 0..<60 {
            number += 1
            let day = Self.today - UInt32.random(in: 0...3, using: &random)
            segments.append(.planned(number, day: day, bytes: .random(in: 1...1_000, using: &random)))
        }
        var passes = 0
        while true {
            let inputs = CompactionPlan.next(segments, today: Self.today, segmentBytes: Self.segmentBytes).inputs
            guard !inputs.isEmpty else { break }
            passes += 1
            #expect(Set(inputs.map(\.day)).count == 1)
            var bytes = inputs.reduce(0) { $0 + $1.length }
            segments.removeAll { entry in inputs.contains { $0.segment == entry.segment } }
            while bytes > 0 {
                number += 1
                let part = min(bytes, Self.segmentBytes - 10)
                segments.append(.planned(number, day: inputs[0].day, bytes: part))
                bytes -= part
            }
        }
        #expect(passes > 0 && passes < 60)
    }
}

extension SegmentEntry {
    /// A sealed segment of one bucket: hot, or of a day.
    static func planned(_ number: Int, day: UInt32? = nil, bytes: UInt64 = 100) -> SegmentEntry {
        var totals = SegmentTotals(startingAt: Sequence(UInt64(number) * 100))
        totals.blocks = 1
        totals.lines = 10
        totals.rawBytes = bytes * 10
        totals.nextSequence = totals.firstSequence + 10
        let bucket = Bucket(milliseconds: UInt64(day ?? 20_000) * Bucket.dayMilliseconds)
        totals.firstBucket = bucket
        totals.lastBucket = bucket
        return SegmentEntry(
            segment: SegmentNumber(UInt64(number)), salt: Salt(1), length: bytes, fileHash: Hash128(low: 0, high: 0),
            totals: totals, sealed: bucket.milliseconds, day: day, deliveries: 0, isDamaged: false)
    }
}
