import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Totals of days")
struct DayTotalsTests {
    /// Events of nine days, in blocks and segments that hold one of them or many; 144 buckets are a day.
    private func log() async throws -> ScannedLog {
        var scanned = try ScannedLog()
        let batches = [[0, 143], [144, 144, 145], [150, 0, 800], [287, 288], [700], [1_151, 432, 1_150, 433]]
        for (index, buckets) in batches.enumerated() {
            try await scanned.append(TestBatch(10 * index, buckets: buckets, padding: 7 * index))
            if index % 2 == 0 { try await scanned.log.seal() }
        }
        return scanned
    }

    @Test("each day has the events and bytes of its lines, also where the range cuts it")
    func days() async throws {
        let scanned = try await log()
        let snapshot = scanned.log.snapshot()
        #expect(try snapshot.days().days.map(\.day) == [0, 1, 2, 3, 4, 5, 7].map { 20_775 + $0 })
        for from in stride(from: 0, to: 1_152, by: 72) {
            for to in stride(from: from, to: 1_152, by: 71) {
                try expectMetadata(
                    snapshot, scanned.reference, Bucket.ofTest(from).milliseconds...Bucket.ofTest(to).milliseconds)
            }
        }
        try await scanned.log.close()
    }

    @Test("a report of few days says where the next one goes on, and together they are all", arguments: 1...8)
    func limit(_ limit: Int) async throws {
        let scanned = try await log()
        let snapshot = scanned.log.snapshot()
        let all = try snapshot.days().days
        var found: [DayTotals] = []
        var start: UInt64? = 0
        while let from = start {
            let report = try snapshot.days(in: from...UInt64.max, limit: limit)
            #expect(report.days.count <= limit && report.isComplete)
            #expect((report.next == nil) == (found.count + report.days.count == all.count))
            found += report.days
            start = report.next
        }
        #expect(found == all)
        try await scanned.log.close()
    }

    @Test("a report of no days is refused")
    func noDays() async throws {
        let scanned = try ScannedLog()
        expectCode(.badArgument) { () throws(StoreError) in _ = try scanned.log.snapshot().days(limit: 0) }
        try await scanned.log.close()
    }
}
