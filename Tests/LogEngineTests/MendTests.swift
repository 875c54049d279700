import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Mending damaged segments")
struct MendTests {
    /// Two segments of three blocks, the second one damaged in a block of two events.
    private func damagedLog(isCompacted: Bool) async throws -> (KeptLog, victim: SegmentEntry) {
        let kept = try KeptLog()
        for day in [UInt64(2), 1] {
            for _ in 0..<3 { try await kept.append([kept.bucket(daysAgo: day), kept.bucket(daysAgo: day, 1)]) }
            try await kept.log.seal()
        }
        if isCompacted { _ = try await kept.log.compact() }
        let victim = try #require(kept.entries.last)
        let path = kept.layout.path(of: victim)
        let dump = try SegmentDump.read(path, environment: kept.environment.on(kept.disk))
        let block = try #require(dump.seal?.index.last)
        kept.disk.flipBit(path, (Int(block.offset) + block.metaLength + 20) * 8)
        // A fresh process, which has nothing of it in memory.
        try await kept.reopen()
        return (kept, victim)
    }

    @Test("the good blocks go on, the loss is told, the damaged file is kept aside until it would be purged")
    func mended() async throws {
        let (kept, victim) = try await damagedLog(isCompacted: false)
        let bytes = kept.disk.contents(kept.layout.path(of: victim))
        let report = try await kept.log.mend()
        #expect(report.segments == 2 && report.losses.count == 1)
        let loss = try #require(report.losses.first)
        #expect(loss.segment == victim.segment && loss.kept == 4 && loss.lost == 2 && !loss.faults.isEmpty)
        let aside = try #require(loss.aside)
        #expect(kept.disk.contents(aside) == bytes)
        #expect(try kept.read() == Array(kept.expected().dropLast(2)))
        #expect(try await kept.log.mend().losses.isEmpty)
        let summary = try readAll(kept.log.snapshot()).summary
        #expect(summary.isComplete)
        var options = PurgeOptions()
        options.policy = RetentionPolicy(maxAgeMilliseconds: KeptLog.day - 600_000)
        options.readerGrace = 0
        _ = try await kept.log.purge(options)
        #expect(kept.disk.contents(aside) == nil)
        try await kept.log.close()
    }

    @Test("killed before the damaged file could leave its place, its copy is there")
    func killed() async throws {
        let (kept, victim) = try await damagedLog(isCompacted: false)
        let bytes = kept.disk.contents(kept.layout.path(of: victim))
        let reader = kept.log.snapshot()
        let aside = try #require(try await kept.log.mend().losses.first?.aside)
        #expect(kept.disk.contents(kept.layout.path(of: victim)) == bytes)
        try await kept.crash()
        #expect(kept.disk.contents(kept.layout.path(of: victim)) == nil)
        #expect(kept.disk.contents(aside) == bytes)
        #expect(!reader.isRevoked)
        try await kept.log.close()
    }

    @Test("of a cold segment all its one block holds is lost")
    func cold() async throws {
        let (kept, victim) = try await damagedLog(isCompacted: true)
        let loss = try #require(try await kept.log.mend().losses.first)
        #expect(loss.segment == victim.segment && loss.kept == 0 && loss.lost == 6)
        #expect(try kept.read() == Array(kept.expected().dropLast(6)))
        try await kept.log.close()
    }

    @Test("a missing file is taken out of the manifest, and its events told as lost")
    func missing() async throws {
        let (kept, victim) = try await damagedLog(isCompacted: false)
        try kept.disk.remove(kept.layout.path(of: victim))
        let loss = try #require(try await kept.log.mend().losses.first)
        #expect(loss.kept == 0 && loss.lost == 6 && loss.aside == nil)
        #expect(kept.entries.allSatisfy { $0.segment != victim.segment })
        try await kept.log.close()
    }

    @Test("where nothing is wrong nothing is done")
    func sound() async throws {
        let kept = try KeptLog()
        try await kept.append([kept.bucket(daysAgo: 1)])
        try await kept.log.seal()
        let files = try kept.files()
        #expect(try await kept.log.mend().losses.isEmpty)
        #expect(try kept.files() == files)
        try await kept.log.close()
    }
}
