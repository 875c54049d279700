import Testing

@testable import WebAPI

@Suite("accesses are added up (AC15)")
struct AuditTallyTests {
    private static func read(_ who: String?, from: UInt64? = nil, to: UInt64? = nil) -> AuditedAccess {
        AuditedAccess(kind: .read("events"), who: who, from: from, to: to)
    }

    private static func refusal(_ who: String?) -> AuditedAccess { AuditedAccess(kind: .refusal("no_token"), who: who) }

    private static func sorted(_ records: [AuditRecord]) -> [AuditRecord] {
        records.sorted { ($0.bucket, $0.access.who ?? "", $0.times) < ($1.bucket, $1.access.who ?? "", $1.times) }
    }

    @Test("the first of a kind is told at once, the rest when its bucket is over")
    func buckets() {
        var tally = AuditTally()
        tally.add(Self.refusal("a"), times: 1, events: 0, in: 600)
        #expect(tally.take(at: 600) == [AuditRecord(access: Self.refusal("a"), bucket: 600, times: 1, events: 0)])
        for _ in 0..<10_000 { tally.add(Self.refusal("a"), times: 1, events: 0, in: 600) }
        #expect(tally.take(at: 600).isEmpty)
        #expect(
            tally.take(at: 1_200) == [AuditRecord(access: Self.refusal("a"), bucket: 600, times: 10_000, events: 0)])
        #expect(tally.take(at: nil).isEmpty)
        tally.add(Self.refusal("a"), times: 1, events: 0, in: 1_200)
        #expect(tally.take(at: 1_200).count == 1, "in a new bucket it is the first again")
    }

    @Test("events of one read are added to those of others, and nothing is told twice")
    func events() {
        var tally = AuditTally()
        tally.add(Self.read("a", from: 0, to: 600), times: 1, events: 0, in: 600)
        tally.add(Self.read("a", from: 0, to: 600), times: 0, events: 7, in: 600)
        tally.add(Self.read("a"), times: 1, events: 2, in: 600)
        let told = Self.sorted(tally.take(at: 600))
        #expect(Set(told.map(\.access)) == [Self.read("a", from: 0, to: 600), Self.read("a")])
        #expect(told.map(\.events).reduce(0, +) == 9 && told.map(\.times) == [1, 1])
        tally.add(Self.read("a"), times: 0, events: 5, in: 1_200)
        #expect(tally.take(at: nil) == [AuditRecord(access: Self.read("a"), bucket: 1_200, times: 0, events: 5)])
    }

    @Test("kinds beyond the bound lose their range, then their name, but not their number")
    func bound() {
        var tally = AuditTally()
        let kinds = UInt64(AuditTally.most)
        for number in 0..<5 * kinds { tally.add(Self.read("a", from: number), times: 1, events: 3, in: 600) }
        for number in 0..<5 * kinds { tally.add(Self.refusal("user\(number)"), times: 1, events: 0, in: 600) }
        tally.add(Self.refusal("user1"), times: 1, events: 0, in: 600)
        let records = tally.take(at: 600)
        #expect(records.count <= 2 * AuditTally.most + 2)
        #expect(records.map(\.times).reduce(0, +) == 10 * kinds + 1)
        #expect(records.map(\.events).reduce(0, +) == 15 * kinds)
        let withRange = records.filter { $0.access.from != nil }
        #expect(withRange.count == AuditTally.most && withRange.allSatisfy { $0.times == 1 })
        #expect(records.contains { $0.access == Self.read("a") && $0.times == 4 * kinds })
        let anybody = AuditedAccess(kind: .refusal("*"), who: "*")
        #expect(records.contains { $0.access == anybody && $0.times == 5 * kinds - (kinds - 1) })
        #expect(records.contains { $0.access == Self.refusal("user1") && $0.times == 2 })
        tally.add(Self.read("a", from: 1), times: 1, events: 0, in: 1_200)
        #expect(tally.take(at: 1_200).first?.access.from == 1, "a new bucket has room again")
    }

    @Test("what could not be recorded is told again, with what came meanwhile")
    func givenBack() {
        var tally = AuditTally()
        tally.add(Self.refusal("a"), times: 1, events: 0, in: 600)
        #expect(tally.giveBack(tally.take(at: 600)) == 0)
        tally.add(Self.refusal("a"), times: 2, events: 0, in: 600)
        #expect(tally.take(at: 600) == [AuditRecord(access: Self.refusal("a"), bucket: 600, times: 3, events: 0)])
        #expect(tally.take(at: nil).isEmpty)
    }

    @Test("a clock that was ahead, and is set back, leaves nothing under a time to come")
    func setBack() {
        var tally = AuditTally()
        for bucket: UInt64 in [600, 9_000, 600] {
            for _ in 0..<2 { tally.add(Self.refusal("a"), times: 1, events: 0, in: bucket) }
        }
        let records = Self.sorted(tally.take(at: 600))
        #expect(records.map(\.bucket) == [600, 9_000] && records.map(\.times) == [4, 2])
        tally.add(Self.refusal("a"), times: 1, events: 0, in: 9_000)
        tally.add(Self.refusal("a"), times: 1, events: 0, in: 600)
        #expect(tally.take(at: 600).map(\.bucket) == [9_000])
        for number in 0..<AuditTally.most { tally.add(Self.refusal("\(number)"), times: 1, events: 0, in: 9_000) }
        tally.add(Self.refusal("b"), times: 1, events: 0, in: 600)
        #expect(tally.take(at: nil).count == AuditTally.most + 2, "the room of a bucket is its own")
    }

    @Test("what waits for a disk that never comes back is bounded, and the rest counted")
    func lost() {
        var tally = AuditTally()
        var lost = 0
        for bucket in 1...10 as ClosedRange<UInt64> {
            for number in 0..<AuditTally.most {
                tally.add(Self.read("a", from: UInt64(number)), times: 1, events: 0, in: bucket)
            }
            lost += tally.giveBack(tally.take(at: bucket + 1))
        }
        let waiting = tally.take(at: nil).count
        #expect(waiting <= 5 * AuditTally.most)
        #expect(waiting + lost == 10 * AuditTally.most)
    }
}
