import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Compaction")
struct CompactionTests {
    /// Three days, in three hot segments, with late events in each.
    private func threeDays(_ kept: KeptLog) async throws {
        for day in [UInt64(3), 2, 1] {
            try await kept.append((0..<20).map { kept.bucket(daysAgo: day, $0 / 4) })
            try await kept.append((0..<5).map { kept.bucket(daysAgo: day + 1, $0) }, key: Int(day))
            try await kept.log.seal()
        }
    }

    @Test("hot segments become cold ones, one a day, and every read is as before")
    func days() async throws {
        let kept = try KeptLog()
        try await threeDays(kept)
        try await kept.append([kept.bucket(daysAgo: 0)])
        let report = try await kept.log.compact()
        #expect(report.passes == 1 && report.segmentsIn == 3 && report.segmentsOut == 4 && report.events == 75)
        #expect(kept.entries.map(\.day) == [4, 3, 2, 1].map { kept.bucket(daysAgo: $0).segmentDay })
        #expect(try kept.read() == kept.expected())
        #expect(try kept.read(.time) == kept.expected(.time))
        #expect(try kept.files().count == 5)
        try await kept.reopen()
        #expect(kept.log.report.notes.isEmpty)
        #expect(try kept.read() == kept.expected())
        #expect(try await kept.log.compact().passes == 0)
        try await kept.log.close()
    }

    @Test("sequences, ids and deliveries survive: a repeat is known, before and after it is opened again")
    func deliveries() async throws {
        let kept = try KeptLog()
        let keyed = try await kept.append([kept.bucket(daysAgo: 1)], key: 7)
        let source = Delivery.source(SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3), number: 9)
        let sourced = TestBatch(100, [TestEvent(100, bucket: kept.bucket(daysAgo: 2))], delivery: source)
        let first = try await kept.log.append(sourced.lines, delivery: source)
        try await kept.log.seal()
        _ = try await kept.log.compact()
        for _ in 0..<3 {
            let outcome = try await kept.log.append(keyed.lines, delivery: keyed.delivery)
            #expect(outcome.isRepeat && outcome.firstSequence == .first)
            let again = try await kept.log.append(sourced.lines, delivery: source)
            #expect(again.isRepeat && again.firstSequence == first.firstSequence)
            try await kept.reopen()
            // A second generation, which has to carry on what the first one carries.
            try await kept.append([kept.bucket(daysAgo: 1), kept.bucket(daysAgo: 2)])
            try await kept.log.seal()
            _ = try await kept.log.compact()
        }
        #expect(kept.entries.allSatisfy { $0.day != nil })
        try await kept.log.close()
    }

    @Test("a backfill of 1,000 days in no order is one pass, with a segment for each day")
    func backfill() async throws {
        let kept = try KeptLog()
        var random = SeededRandom(seed: 1)
        let days = (Array(1...1_000) + Array(1...1_000) as [UInt64]).shuffled(using: &random)
        for part in stride(from: 0, to: days.count, by: 100) {
            try await kept.append(days[part..<part + 100].map { kept.bucket(daysAgo: $0) })
        }
        try await kept.log.seal()
        let report = try await kept.log.compact()
        #expect(report.passes == 1 && report.segmentsOut == 1_000 && report.events == 2_000)
        try await kept.reopen()
        #expect(try kept.read(.time) == kept.expected(.time))
        #expect(try kept.read() == kept.expected())
        try await kept.log.close()
    }

    @Test("a snapshot of before is read to its end, and the files go with it")
    func readers() async throws {
        let kept = try KeptLog()
        try await threeDays(kept)
        var snapshot: LogSnapshot? = kept.log.snapshot()
        var scan: Scan? = try Scan(try #require(snapshot), ScanRequest(order: .arrival))
        _ = try await kept.log.compact()
        #expect(try kept.files().filter { $0.hasPrefix("hot/") }.count == 4)
        snapshot = nil
        var lines = 0
        while let chunk = try scan?.next() { lines += chunk.lines }
        #expect(lines == 75 && scan?.summary.isComplete == true)
        scan = nil
        // The committer removes them when it comes to it; a task of its own waits for that.
        try await kept.log.seal()
        #expect(try kept.files().filter { $0.hasPrefix("hot/") }.count == 1)
        try await kept.log.close()
    }

    @Test("pages of one snapshot go on through a compaction, in both orders", arguments: ScanRequest.Order.allCases)
    func cursors(order: ScanRequest.Order) async throws {
        let kept = try KeptLog()
        try await threeDays(kept)
        let expected = kept.expected(order)
        var request = ScanRequest(order: order, limit: 7)
        var found: [ReadEvent] = []
        for page in 0... {
            let (events, summary) = try readAll(kept.log.snapshot(), request)
            found += events
            #expect(summary.isComplete)
            guard let cursor = summary.cursor else { break }
            request.cursor = cursor
            if page == 3 { _ = try await kept.log.compact() }
            if page < 6 {
                try await kept.append([kept.bucket(daysAgo: 2)])
                try await kept.log.seal()
            }
        }
        #expect(found == expected)
        try await kept.log.close()
    }

    @Test("generations of a day become one when they are many, and when the day is over")
    func generations() async throws {
        let kept = try KeptLog()
        for _ in 0..<9 {
            try await kept.append((0..<30).map { kept.bucket(daysAgo: 0, -$0 % 3) })
            try await kept.log.seal()
            _ = try await kept.log.compact()
        }
        #expect(kept.entries.count == 2)
        kept.environment.clock.advance(by: KeptLog.day)
        _ = try await kept.log.compact()
        #expect(kept.entries.count == 1)
        #expect(try kept.read() == kept.expected())
        #expect(try kept.read(.time) == kept.expected(.time))
        try await kept.log.close()
    }

    @Test("a day is cut before its segment passes its bound, blocks where they are full")
    func cuts() async throws {
        let kept = try KeptLog()
        var random = SeededRandom(seed: 3)
        for _ in 0..<40 {
            let pad = String(
                (0..<2_000).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement(using: &random) ?? "a" })
            let events = [
                TestEvent(Int.random(in: 1...1_000_000_000, using: &random), bucket: kept.bucket(daysAgo: 1), pad: pad)
            ]
            _ = try await kept.log.append(TestBatch(1, events).lines, delivery: nil)
        }
        try await kept.log.seal()
        var options = CompactionOptions()
        options.blockBytes = 5_000
        options.segmentBytes = 30_000
        _ = try await kept.log.compact(options)
        #expect(kept.entries.count > 2)
        #expect(kept.entries.allSatisfy { $0.length <= 30_000 && $0.blocks > 1 })
        #expect(try kept.read().count == 40)
        #expect(try await kept.log.compact(options).passes == 0)
        try await kept.log.close()
    }

    @Test("a damaged segment is left as it is and told; the others are compacted")
    func damaged() async throws {
        let kept = try KeptLog()
        try await threeDays(kept)
        let victim = kept.entries[1]
        kept.disk.flipBit(kept.layout.path(of: victim), Int(victim.length) * 4)
        let report = try await kept.log.compact()
        #expect(report.damaged.map(\.path) == [kept.layout.path(of: victim)])
        #expect(kept.entries.filter { $0.day == nil }.map(\.segment) == [victim.segment])
        #expect(report.segmentsIn == 2)
        try await kept.log.close()
    }

    @Test("a job that is asked to end leaves the store as it was, and nothing behind")
    func cancelled() async throws {
        let kept = try KeptLog()
        try await threeDays(kept)
        let before = try kept.files()
        let control = JobControl()
        control.cancel()
        await #expect(throws: StoreError.self) { _ = try await kept.log.compact(control: control) }
        #expect(try kept.files() == before)
        #expect(try kept.read() == kept.expected())
        try await kept.log.close()
    }

    @Test("what a compaction was cut off from is removed by the next open")
    func leftovers() async throws {
        let kept = try KeptLog()
        try await threeDays(kept)
        let snapshot = kept.log.snapshot()
        _ = try await kept.log.compact()
        #expect(try kept.files().filter { $0.hasPrefix("hot/") }.count == 4)
        try await kept.crash()
        #expect(try kept.files().filter { $0.hasPrefix("hot/") }.count == 1)
        #expect(try kept.read() == kept.expected())
        #expect(snapshot.lastSequence > Sequence(0))
        try await kept.log.close()
    }
}
