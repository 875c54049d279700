import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("How far the horizon rises")
struct RetentionPlanTests {
    private static let day = Bucket.dayMilliseconds
    private static let now = 20_775 * day + 12 * 3_600_000 + 123

    private static func manifest(horizon: UInt64 = 0, holds: [Hold] = []) -> Manifest {
        var manifest = Manifest(
            store: StoreID(1), deliverySecret: Hash128(low: 0, high: 0), created: 0, stream: .interactions,
            resolution: .tenMinutes)
        manifest.horizon = Bucket(milliseconds: horizon)
        for hold in holds { manifest.lists.holds.add(hold) }
        return manifest
    }

    /// One segment a day, the last of which is today's, of 100 bytes each.
    private static func days(_ count: UInt64) -> [RetainedSegment] {
        (0..<count).map { index in
            let day = UInt32(20_775 - (count - 1) + index)
            return RetainedSegment(.planned(Int(index) + 1, day: day), allocatedBytes: 100)
        }
    }

    private static func plan(
        _ policy: RetentionPolicy, _ segments: [RetainedSegment] = days(10), holds: [Hold] = [], horizon: UInt64 = 0,
        free: UInt64? = nil
    ) -> RetentionPlan {
        RetentionPlan(
            segments, policy: policy, manifest: manifest(horizon: horizon, holds: holds), freeBytes: free, now: now)
    }

    private static func hold(_ from: UInt64, _ to: UInt64) -> Hold {
        Hold(
            number: 1, from: Bucket(milliseconds: from), to: Bucket(milliseconds: to), created: 0, reason: "a case")
    }

    @Test("forever: nothing goes")
    func forever() {
        let plan = Self.plan(RetentionPolicy())
        #expect(plan.horizon == .earliest && plan.actions.isEmpty)
    }

    @Test("max_age: the bucket of now less the age is kept, all before it goes")
    func age() {
        let plan = Self.plan(RetentionPolicy(maxAgeMilliseconds: 3 * Self.day))
        #expect(plan.horizon.milliseconds == Self.now - 123 - 3 * Self.day)
        #expect(plan.actions.map(\.segment.entry.segment.value) == [1, 2, 3, 4, 5, 6, 7])
        #expect(plan.actions.allSatisfy { $0.action == .drop })
        let young = Self.plan(RetentionPolicy(maxAgeMilliseconds: 100_000 * Self.day))
        #expect(young.horizon == .earliest)
    }

    @Test("a segment that straddles the horizon is written anew")
    func straddling() {
        var entry = SegmentEntry.planned(1, day: 20_774)
        entry.lastBucket = Bucket(milliseconds: entry.firstBucket.milliseconds + 23 * 3_600_000)
        let plan = Self.plan(
            RetentionPolicy(maxAgeMilliseconds: Self.day), [RetainedSegment(entry, allocatedBytes: 100)])
        #expect(plan.actions.map(\.action) == [.rewrite])
    }

    @Test(
        "max_bytes: the oldest go until the rest fits; to the byte",
        arguments: [(1_000, 0), (999, 1), (450, 6), (0, 10)])
    func bytes(most: UInt64, gone: Int) {
        #expect(Self.plan(RetentionPolicy(maxBytes: most)).actions.count == gone)
    }

    @Test("min_free: the oldest go until so much is free; where nobody knows, nothing")
    func free() {
        #expect(Self.plan(RetentionPolicy(minFreeBytes: 500), free: 250).actions.count == 3)
        #expect(Self.plan(RetentionPolicy(minFreeBytes: 500), free: 500).actions.isEmpty)
        #expect(Self.plan(RetentionPolicy(minFreeBytes: 500), free: nil).actions.isEmpty)
    }

    @Test("of several policies the strictest holds, and the horizon never falls")
    func strictest() {
        let both = Self.plan(RetentionPolicy(maxAgeMilliseconds: 8 * Self.day, maxBytes: 450))
        #expect(both.actions.count == 6)
        let risen = Self.plan(RetentionPolicy(maxAgeMilliseconds: 8 * Self.day), horizon: Self.now - 123 - Self.day)
        #expect(risen.horizon.milliseconds == Self.now - 123 - Self.day)
        #expect(risen.actions.count == 9)
    }

    @Test("bytes never push the horizon past now: the future goes by its sealing")
    func future() {
        var wrong = SegmentEntry.planned(11)
        wrong.lastBucket = Bucket(milliseconds: Self.now + 1_000 * Self.day)
        let plan = Self.plan(
            RetentionPolicy(maxBytes: 0), Self.days(10) + [RetainedSegment(wrong, allocatedBytes: 100)])
        #expect(plan.horizon.milliseconds <= Self.now + Self.day)
        #expect(plan.actions.filter { $0.action == .drop }.count == 10)
        #expect(plan.actions.first { $0.segment.entry.segment.value == 11 }?.action == .rewrite)
    }

    @Test("a cold segment of a day to come is dropped when its sealing is old enough, unless it is held")
    func early() {
        var entry = SegmentEntry.planned(1, day: 30_000)
        entry.sealed = Self.now - 5 * Self.day
        let segments = [RetainedSegment(entry, allocatedBytes: 100)]
        #expect(Self.plan(RetentionPolicy(maxAgeMilliseconds: 5 * Self.day), segments).actions.map(\.action) == [.drop])
        #expect(Self.plan(RetentionPolicy(maxAgeMilliseconds: 5 * Self.day + 1), segments).actions.isEmpty)
        let held = Self.hold(30_000 * Self.day, 30_001 * Self.day)
        #expect(
            Self.plan(RetentionPolicy(maxAgeMilliseconds: Self.day), segments, holds: [held]).actions.isEmpty)
    }

    @Test("once its day has come it is like any other")
    func noLongerEarly() {
        var entry = SegmentEntry.planned(1, day: 20_774)
        entry.sealed = Self.now - 90 * Self.day
        let segments = [RetainedSegment(entry, allocatedBytes: 100)]
        #expect(Self.plan(RetentionPolicy(maxAgeMilliseconds: 5 * Self.day), segments).actions.isEmpty)
        #expect(Self.plan(RetentionPolicy(maxAgeMilliseconds: Self.day), segments).actions.map(\.action) == [.drop])
        #expect(Self.plan(RetentionPolicy(maxBytes: 99), segments).actions.map(\.action) == [.drop])
    }

    @Test("a hold stops the horizon at its first bucket, and is named")
    func held() {
        let from = (20_775 - 5) * Self.day
        let plan = Self.plan(RetentionPolicy(maxAgeMilliseconds: Self.day), holds: [Self.hold(from, from)])
        #expect(plan.horizon.milliseconds == from && plan.stoppedBy?.number == 1)
        #expect(plan.wanted.milliseconds == Self.now - 123 - Self.day)
        #expect(plan.actions.count == 4)
        let later = Self.plan(RetentionPolicy(maxAgeMilliseconds: Self.day), holds: [Self.hold(Self.now, Self.now)])
        #expect(later.stoppedBy == nil && later.actions.count == 9)
    }

    @Test("what a hold keeps below the horizon stays on the disk")
    func lateHold() {
        let from = (20_775 - 5) * Self.day
        let plan = Self.plan(
            RetentionPolicy(), holds: [Self.hold(from, from)], horizon: 20_775 * Self.day)
        #expect(plan.horizon.milliseconds == 20_775 * Self.day)
        #expect(plan.actions.count == 4)
    }
}
