import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Purge")
struct PurgeTests {
    private static func options(days: UInt64? = nil, _ change: (inout PurgeOptions) -> Void = { _ in }) -> PurgeOptions
    {
        var options = PurgeOptions()
        options.policy = RetentionPolicy(maxAgeMilliseconds: days.map { $0 * KeptLog.day })
        options.readerGrace = 0
        change(&options)
        return options
    }

    /// Four days, a segment each but the last, which is still active; each holds events of the day before.
    private func fourDays(areKeyed: Bool = true) async throws -> KeptLog {
        let kept = try KeptLog()
        for day in [UInt64(4), 3, 2, 1] {
            try await kept.append((0..<20).map { kept.bucket(daysAgo: day, $0 / 4) }, key: areKeyed ? Int(day) : nil)
            try await kept.append((0..<5).map { kept.bucket(daysAgo: day + 1, $0) })
            if day > 1 { try await kept.log.seal() }
        }
        return kept
    }

    private func check(_ kept: KeptLog, from horizon: Bucket) throws {
        let expected = kept.expected(from: horizon)
        #expect(try kept.read() == expected)
        #expect(try kept.read(.time) == kept.expected(.time, from: horizon))
        #expect(try kept.linesOnDisk().sorted() == expected.map(\.line).sorted())
    }

    @Test("nothing before the horizon can be read, or is on the disk", arguments: [true, false])
    func exact(isCompacted: Bool) async throws {
        let kept = try await fourDays()
        if isCompacted { _ = try await kept.log.compact() }
        let report = try await kept.log.purge(Self.options(days: 2))
        let horizon = kept.bucket(daysAgo: 2)
        #expect(report.plan.horizonAfter == horizon && report.deferred.isEmpty)
        #expect(report.plan.events == UInt64(kept.expected().count - kept.expected(from: horizon).count))
        try check(kept, from: horizon)
        try await kept.reopen()
        #expect(kept.log.report.notes.isEmpty)
        try check(kept, from: horizon)
        let again = try await kept.log.purge(Self.options(days: 2))
        #expect(again.plan.segments.isEmpty && again.plan.horizonAfter == again.plan.horizonBefore)
        try await kept.log.close()
    }

    @Test("a dry run says what the run does, and does nothing")
    func dryRun() async throws {
        let kept = try await fourDays()
        let files = try kept.files()
        let plan = try await kept.log.purge(Self.options(days: 2) { $0.isDryRun = true }).plan
        #expect(try kept.files() == files && kept.log.horizon == .earliest)
        let done = try await kept.log.purge(Self.options(days: 2)).plan
        #expect(done.events == plan.events && done.segments.map(\.number) == plan.segments.map(\.number))
        #expect(done.oldest == plan.oldest && done.newest == plan.newest && done.horizonAfter == plan.horizonAfter)
        try await kept.log.close()
    }

    @Test("late events that come meanwhile and later are discarded")
    func late() async throws {
        let kept = try await fourDays()
        _ = try await kept.log.purge(Self.options(days: 2))
        let events = [TestEvent(900, bucket: kept.bucket(daysAgo: 3)), TestEvent(901, bucket: kept.bucket(daysAgo: 1))]
        let outcome = try await kept.log.append(TestBatch(900, events).lines, delivery: nil)
        #expect(outcome.accepted == 1 && outcome.discarded == 1)
        try await kept.log.close()
    }

    @Test("what is remembered of deliveries outlives the events")
    func deliveries() async throws {
        let kept = try KeptLog()
        let keyed = try await kept.append([kept.bucket(daysAgo: 9)], key: 1)
        let source = Delivery.source(SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3), number: 9)
        let sourced = TestBatch(100, [TestEvent(100, bucket: kept.bucket(daysAgo: 9))], delivery: source)
        _ = try await kept.log.append(sourced.lines, delivery: source)
        for days in [UInt64(5), 4] {
            _ = try await kept.log.purge(Self.options(days: days))
            #expect(try kept.linesOnDisk().allSatisfy { line in !keyed.events.contains { $0.brief == line } })
            try await kept.reopen()
            #expect(try await kept.log.append(keyed.lines, delivery: keyed.delivery).isRepeat)
            #expect(try await kept.log.append(sourced.lines, delivery: source).isRepeat)
            try await kept.append([kept.bucket(daysAgo: 4, 1)])
            try await kept.log.seal()
            _ = try await kept.log.compact()
        }
        try await kept.log.close()
    }

    @Test("a scan of what goes ends, and says so; one of what stays goes on from its cursor", arguments: [true, false])
    func readers(isCompacted: Bool) async throws {
        let kept = try await fourDays()
        if isCompacted { _ = try await kept.log.compact() }
        let scan = try Scan(kept.log.snapshot(), ScanRequest(order: .time, limit: 3))
        _ = try await kept.log.purge(Self.options(days: 2))
        #expect(throws: StoreError.self) { while try scan.next() != nil {} }
        do {
            while try scan.next() != nil {}
        } catch {
            #expect(error.code == .revoked)
        }
        try await kept.log.close()
    }

    @Test("what a compaction replaced goes as well, though it is still read", arguments: [true, false])
    func replacedFiles(isHorizonRaisedBefore: Bool) async throws {
        let kept = try await fourDays()
        try await kept.log.seal()
        let reader = kept.log.snapshot()
        let horizon = kept.bucket(daysAgo: 2)
        if isHorizonRaisedBefore {
            try await kept.log.perform { (writer) throws(StoreError) in
                try writer.raiseHorizon(to: horizon, purgedThrough: Sequence(0), hasView: false)
            }
        }
        _ = try await kept.log.compact()
        #expect(try kept.linesOnDisk().count > kept.expected().count)
        _ = try await kept.log.purge(Self.options(days: 2))
        try check(kept, from: horizon)
        #expect(reader.isRevoked)
        try await kept.log.close()
    }

    @Test("reads of what a compaction replaced go on where nothing of it must go")
    func replacedFilesOfToday() async throws {
        let kept = try KeptLog()
        for _ in 0..<2 { try await kept.append([kept.bucket(daysAgo: 1)]) }
        let reader = kept.log.snapshot()
        _ = try await kept.log.compact()
        _ = try await kept.log.purge(Self.options(days: 2))
        #expect(try readAll(reader).events == kept.expected())
        try await kept.log.close()
    }

    @Test("where there is no room to write a segment anew it is deferred: reads are exact, the next purge finishes")
    func deferred() async throws {
        let kept = try KeptLog()
        try await kept.append((0..<4_000).map { kept.bucket(daysAgo: $0 < 100 ? 3 : 1, $0 / 400) })
        try await kept.log.seal()
        let straddling = try #require(kept.entries.first)
        // Others have taken what a former purge gave up.
        try await kept.log.perform { (writer) throws(StoreError) in try writer.room.lendReserve() }
        kept.disk.freeBytes = straddling.length - 1
        let report = try await kept.log.purge(Self.options(days: 2))
        #expect(report.deferred.map(\.segment.number) == [straddling.segment] && !report.hasReserve)
        #expect(report.deferred.first?.bytesWanted == straddling.length && report.plan.events == 100)
        #expect(report.done.segments.isEmpty)
        #expect(kept.log.snapshot().jobs.first { $0.job == .purge }.map { $0.lastSuccess < $0.lastRun } == true)
        let horizon = kept.bucket(daysAgo: 2)
        #expect(try kept.read() == kept.expected(from: horizon))
        #expect(try kept.linesOnDisk().count == 4_000)
        kept.disk.freeBytes = 1 << 30
        let finished = try await kept.log.purge(Self.options(days: 2))
        #expect(finished.deferred.isEmpty && finished.plan.events == 100)
        try check(kept, from: horizon)
        try await kept.log.close()
    }

    @Test("days without files leave no directory")
    func emptyDays() async throws {
        let kept = try await fourDays(areKeyed: false)
        _ = try await kept.log.compact()
        let days = try kept.disk.list(kept.layout.cold)
        _ = try await kept.log.purge(Self.options(days: 2))
        let left = try kept.disk.list(kept.layout.cold)
        #expect(left.count < days.count && Set(left) == Set(kept.entries.compactMap { $0.day.map(DayName.text) }))
        try await kept.log.close()
    }

    @Test("a page whose events went is gone, and the error has the cursor that goes on")
    func cursors() async throws {
        let kept = try await fourDays()
        var request = ScanRequest(order: .time, limit: 2)
        request.cursor = try readAll(kept.log.snapshot(), request).summary.cursor
        _ = try await kept.log.purge(Self.options(days: 2))
        var caught: StoreError?
        do { _ = try Scan(kept.log.snapshot(), request) } catch { caught = error }
        #expect(caught?.code == .goneCursor)
        request.limit = nil
        request.cursor = try #require(caught?.nextCursor)
        #expect(try readAll(kept.log.snapshot(), request).events == kept.expected(.time, from: kept.bucket(daysAgo: 2)))
        try await kept.log.close()
    }

    @Test("a clock that jumped is refused, and nothing is written; --allow-step lets it pass")
    func clock() async throws {
        let kept = try await fourDays()
        try await kept.log.seal()
        kept.environment.clock.advance(by: 9 * KeptLog.day)
        let files = try kept.files()
        var caught: StoreError?
        do { _ = try await kept.log.purge(Self.options(days: 2)) } catch { caught = error }
        #expect(caught?.code == .clock)
        #expect(try kept.files() == files && kept.log.horizon == .earliest)
        // A seal under the wrong clock vouches for nothing.
        try await kept.append([kept.bucket(daysAgo: 0)])
        try await kept.log.seal()
        await #expect(throws: StoreError.self) { _ = try await kept.log.purge(Self.options(days: 2)) }
        _ = try await kept.log.compact()
        await #expect(throws: StoreError.self) { _ = try await kept.log.purge(Self.options(days: 2)) }
        let report = try await kept.log.purge(Self.options(days: 2) { $0.allowsStep = true })
        #expect(report.plan.events == 100 && kept.expected().count == 101)
        // From now on that time was seen.
        kept.environment.clock.advance(by: 7 * KeptLog.day)
        _ = try await kept.log.purge(Self.options(days: 2))
        try await kept.log.close()
    }

    @Test("a hold keeps its range and what is behind it, until it is removed")
    func holds() async throws {
        let kept = try await fourDays()
        let from = kept.bucket(daysAgo: 3)
        let hold = try await kept.log.addHold(from.milliseconds...from.milliseconds, reason: "a case")
        let stopped = try await kept.log.purge(Self.options(days: 1))
        #expect(stopped.plan.stoppedBy == hold && stopped.plan.horizonAfter == from)
        try check(kept, from: from)
        _ = try await kept.log.compact()
        try check(kept, from: from)
        _ = try await kept.log.removeHold(hold.number)
        _ = try await kept.log.purge(Self.options(days: 1))
        try check(kept, from: kept.bucket(daysAgo: 1))
        try await kept.log.close()
    }

    @Test("compaction leaves out what is before the horizon, but for what a hold keeps")
    func holdsInCompaction() async throws {
        let kept = try KeptLog()
        for day in [UInt64(3), 2, 1] { try await kept.append([kept.bucket(daysAgo: day)]) }
        let horizon = kept.bucket(daysAgo: 1)
        try await kept.log.perform { (writer) throws(StoreError) in
            try writer.raiseHorizon(to: horizon, purgedThrough: Sequence(0), hasView: false)
        }
        let from = kept.bucket(daysAgo: 2)
        _ = try await kept.log.addHold(from.milliseconds...horizon.milliseconds, reason: "a case")
        _ = try await kept.log.compact()
        #expect(try kept.linesOnDisk().sorted() == kept.expected(from: from).map(\.line).sorted())
        #expect(try kept.read() == kept.expected(from: horizon))
        try await kept.log.close()
    }

    @Test("max_bytes and min_free drop the oldest days whole")
    func bytes() async throws {
        let kept = try await fourDays(areKeyed: false)
        try await kept.log.seal()
        _ = try await kept.log.compact()
        let all = kept.entries.count
        let bytes = try kept.entries.reduce(0) {
            $0 + (try kept.disk.allocatedBytes(of: kept.layout.path(of: $1)) ?? 0)
        }
        let report = try await kept.log.purge(Self.options { $0.policy = RetentionPolicy(maxBytes: bytes - 1) })
        #expect(kept.entries.count == all - 1)
        #expect(report.freedBytes == report.plan.bytes)
        try check(kept, from: report.plan.horizonAfter)
        try await kept.log.close()
    }

    @Test("the record is in the stream audit, and as canonical as it was specified")
    func record() async throws {
        let kept = try await fourDays()
        let report = try await kept.log.purge(Self.options(days: 2))
        var options = LogOptions()
        options.stream = .audit
        let audit = try StoreReader.snapshot(
            of: dataDirectory, options: options, environment: kept.environment.on(kept.disk)
        ).snapshot
        var lines: [String] = []
        let scan = try Scan(audit, ScanRequest())
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
        }
        let time = Resolution.tenMinutes.bucket(of: kept.now).milliseconds
        #expect(lines == [report.plan.record(at: time)])
        let first = try #require(report.plan.segments.first)
        #expect(
            lines[0].hasPrefix(
                #"{"timestamp":\#(time),"type":"purge","stream":"interactions","policy":{"max_age":172800000,"#
                    + #""max_bytes":null,"min_free":null},"horizon_before":0,"horizon_after":"#))
        #expect(
            lines[0].contains(#""segments":[{"number":\#(first.number.value),"hash":"\#(first.hash.hex)","events":"#))
        try await kept.log.close()
    }

    @Test("what lies in the future goes when its sealing is old enough, and cursors of before are gone")
    func future() async throws {
        let kept = try KeptLog()
        let wrong = Bucket(milliseconds: kept.bucket(daysAgo: 0).milliseconds + 400 * KeptLog.day)
        try await kept.append([kept.bucket(daysAgo: 0), wrong])
        try await kept.log.seal()
        _ = try await kept.log.compact()
        var request = ScanRequest(order: .time, limit: 1)
        request.cursor = try readAll(kept.log.snapshot(), request).summary.cursor
        kept.environment.clock.advance(by: 3 * KeptLog.day)
        _ = try await kept.log.purge(Self.options(days: 4))
        #expect(try kept.read().count == 2)
        kept.environment.clock.advance(by: 2 * KeptLog.day)
        let report = try await kept.log.purge(Self.options(days: 4))
        #expect(report.plan.events == 2 && report.plan.horizonAfter < wrong)
        #expect(try kept.linesOnDisk().isEmpty)
        #expect(throws: StoreError.self) { _ = try Scan(kept.log.snapshot(), request) }
        try await kept.log.close()
    }

    @Test("what was purged does not come back with the power; with the sync of its removal left out it would")
    func powerLoss() async throws {
        for isSynced in [true, false] {
            let kept = try await fourDays()
            _ = try await kept.log.compact()
            if !isSynced { kept.disk.ignoredSyncs = [.removedSegments] }
            _ = try await kept.log.purge(Self.options(days: 2))
            let horizon = kept.bucket(daysAgo: 2).milliseconds
            let lost = kept.disk.powerLoss(seed: 0, mode: .dropAll)
            let found = try KeptLog.linesOnDisk(lost, kept.layout, kept.environment)
            #expect(found.contains { line in kept.purgedLines(before: horizon).contains(line) } == !isSynced)
            try await kept.log.close()
        }
    }

    @Test("for random events, policies and times, what remains is exactly what the policies say", arguments: 1...12)
    func property(seed: UInt64) async throws {
        let kept = try KeptLog(seed: seed)
        var random = SeededRandom(seed: seed)
        var horizon = Bucket.earliest
        for step in 0..<24 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0...3:
                let buckets = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                    kept.bucket(daysAgo: .random(in: 0...6, using: &random), .random(in: -70...0, using: &random))
                }
                try await kept.append(buckets, key: Bool.random(using: &random) ? step : nil)
            case 4: try await kept.log.seal()
            case 5: _ = try await kept.log.compact()
            case 6:
                kept.environment.clock.advance(by: .random(in: 1...36, using: &random) * 3_600_000)
                if Bool.random(using: &random) { try await kept.reopen() } else { try await kept.crash() }
            default:
                let days = UInt64.random(in: 1...6, using: &random)
                let report = try await kept.log.purge(Self.options(days: days))
                horizon = max(horizon, Resolution.tenMinutes.bucket(of: kept.now - days * KeptLog.day))
                #expect(report.plan.horizonAfter == horizon && report.deferred.isEmpty)
                try check(kept, from: horizon)
            }
            #expect(try kept.read(.time) == kept.expected(.time, from: horizon))
            #expect(try kept.read() == kept.expected(from: horizon))
        }
        try await kept.log.close()
    }
}
