import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Recovery")
struct RecoveryTests {
    private let environment = TestEnvironment()
    private let firstPath = SmallStore.sealedPath
    private let secondPath = SmallStore.activePath

    private func open(_ disk: VirtualDisk) throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    /// Four commits in one segment, and the process killed; where each commit's frames lie.
    private func killedStore() async throws -> (disk: VirtualDisk, events: [ReadEvent], commits: [Range<Int>]) {
        let disk = VirtualDisk()
        let log = try open(disk)
        var ends = [try #require(disk.contents(firstPath)).count]
        for number in 1...4 {
            let batch = TestBatch(10 * number, buckets: [number, 1], key: number)
            _ = try await log.append(batch.lines, delivery: batch.delivery)
            ends.append(try #require(disk.contents(firstPath)).count)
        }
        let events = try arrived(log)
        let next = disk.processCrash()
        try? await log.close()
        return (next, events, zip(ends, ends.dropFirst()).map { $0..<$1 })
    }

    private func arrived(_ log: EventLog) throws(StoreError) -> [ReadEvent] {
        try readAll(log.snapshot(), ScanRequest(order: .arrival)).events
    }

    // MARK: - Torn tails

    @Test("a torn last commit is dropped, everything before it stays, and appends go on in a copy without it")
    func tornTail() async throws {
        let (disk, events, commits) = try await killedStore()
        let bytes = try #require(disk.contents(firstPath))
        for cut in commits[3].lowerBound...commits[3].upperBound {
            let torn = disk.copy()
            torn.replace(firstPath, Array(bytes[..<cut]))
            let log = try open(torn)
            let isWhole = cut == commits[3].upperBound
            let kept = isWhole ? commits[3].upperBound : commits[2].upperBound
            #expect(try arrived(log) == Array(events.prefix(isWhole ? 8 : 6)))
            #expect(torn.contents(firstPath) == Array(bytes[..<kept]) && torn.contents(secondPath) == nil)
            #expect(log.report.faults.isEmpty)
            let isTold = log.report.notes.contains { $0.contains("torn tail of \(cut - kept) bytes") }
            #expect(isTold == (cut > kept))
            let outcome = try await log.append(TestBatch(90, buckets: [9]).lines, delivery: nil)
            #expect(outcome.firstSequence.value == 1 + Bounds.sequenceReservation)
            try await log.close()
        }
    }

    @Test("a torn batch is not known as delivered: its repeat is stored, those before are not stored again")
    func tornDelivery() async throws {
        let (disk, _, commits) = try await killedStore()
        disk.flipBit(firstPath, 8 * (commits[3].upperBound - 1))
        let log = try open(disk)
        for number in 1...4 {
            let batch = TestBatch(10 * number, buckets: [number, 1], key: number)
            #expect(try await log.append(batch.lines, delivery: batch.delivery).isRepeat == (number < 4))
        }
        #expect(try arrived(log).count == 8)
        try await log.close()
    }

    @Test("garbage behind the last commit is dropped, even if it looks like a frame")
    func garbageBehind() async throws {
        let (disk, events, commits) = try await killedStore()
        let bytes = try #require(disk.contents(firstPath))
        for garbage in [[0, 0, 0], [UInt8](repeating: 0xFF, count: 5_000), Array(bytes[..<commits[0].lowerBound])] {
            let torn = disk.copy()
            torn.replace(firstPath, bytes + garbage)
            let log = try open(torn)
            #expect(try arrived(log) == events && log.report.faults.isEmpty)
            #expect(torn.contents(firstPath) == bytes)
            try await log.close()
        }
    }

    // MARK: - Corruption

    @Test("a file with bad bytes below its last commit is kept byte for byte, and appends go on in a new segment")
    func corruption() async throws {
        let (disk, events, commits) = try await killedStore()
        for (lost, commit) in commits.dropLast().enumerated() {
            for byte in stride(from: commit.lowerBound, to: commit.upperBound, by: 7) {
                let damaged = disk.copy()
                damaged.flipBit(firstPath, 8 * byte + byte % 8)
                let bytes = damaged.contents(firstPath)
                var expected = events
                expected.removeSubrange(2 * lost..<2 * lost + 2)
                var log = try open(damaged)
                #expect(!log.report.faults.isEmpty && log.report.faults.allSatisfy { $0.path == firstPath })
                #expect(try arrived(log) == expected, "byte \(byte)")
                let batch = TestBatch(90, buckets: [9])
                let first = try await log.append(batch.lines, delivery: nil).firstSequence
                #expect(first.value > Bounds.sequenceReservation)
                try await log.close()
                log = try open(damaged)
                expected.append(try #require(try arrived(log).last))
                #expect(try arrived(log) == expected && expected.last?.sequence == first)
                #expect(log.snapshot().segments.map(\.isDamaged) == [true, false])
                #expect(damaged.contents(firstPath) == bytes, "byte \(byte)")
                try await log.close()
            }
        }
    }

    @Test("corruption and a torn tail in one file: all of it is kept, the good commits are served")
    func both() async throws {
        let (disk, events, commits) = try await killedStore()
        disk.flipBit(firstPath, 8 * (commits[1].upperBound - 1))
        disk.flipBit(firstPath, 8 * (commits[3].upperBound - 1))
        let bytes = disk.contents(firstPath)
        let log = try open(disk)
        #expect(try arrived(log) == Array(events[..<2] + events[4..<6]))
        #expect(disk.contents(firstPath) == bytes)
        try await log.close()
    }

    // MARK: - Unlisted segments

    @Test("an unlisted segment with a seal is listed; one without, that is not the last, is damaged")
    func unlisted() async throws {
        for isSealed in [true, false] {
            let disk = VirtualDisk()
            let log = try open(disk)
            _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
            let manifests = (0...1).map { disk.contents("/data/interactions/MANIFEST.\($0)") }
            let unsealed = disk.contents(firstPath)
            try await log.seal()
            _ = try await log.append(TestBatch(20, buckets: [2]).lines, delivery: nil)
            let next = disk.processCrash()
            for (slot, bytes) in manifests.enumerated() {
                next.replace("/data/interactions/MANIFEST.\(slot)", try #require(bytes))
            }
            if !isSealed { next.replace(firstPath, try #require(unsealed)) }
            let reopened = try open(next)
            #expect(try arrived(reopened).map(\.sequence.value) == [1, 2])
            #expect(reopened.snapshot().segments.map(\.isDamaged) == [!isSealed, false])
            #expect(reopened.report.faults.map(\.fault.clause) == (isSealed ? [] : [.sealEnd]))
            try await reopened.close()
            try? await log.close()
        }
    }

    @Test("files of segments that no manifest lists any more are removed, and those of others left alone")
    func deadFiles() async throws {
        let disk = VirtualDisk()
        let environment = TestEnvironment()
        var log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
        for number in 1...3 {
            _ = try await log.append(TestBatch(number * 10, buckets: [number, number + 144]).lines, delivery: nil)
            try await log.seal()
        }
        try await log.close()
        let hand = HandCompaction(disk: disk, environment: environment)
        let old = hand.layout.hotSegment(SegmentNumber(1))
        let bytes = try #require(disk.contents(old))
        let unfinished = try hand.write([SegmentNumber(3)], of: hand.manifest())
        for entry in unfinished { disk.replace(hand.layout.path(of: entry) + ".kept", [1]) }
        try hand.compact([SegmentNumber(1), SegmentNumber(2)])
        disk.replace(old, bytes)
        let listed = hand.layout.path(of: try hand.manifest().segments[1])
        let astray = hand.layout.coldSegment(try hand.manifest().segments[1].segment, day: 1)
        disk.makeDurableDirectory("\(hand.layout.cold)/1970-01-02")
        disk.makeDurableDirectory("\(hand.layout.cold)/other")
        disk.replace(astray, [2])
        disk.replace("\(hand.layout.cold)/1970-01-03", [3])

        log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
        let removed = log.report.notes.filter { $0.hasSuffix("it is removed") }
        #expect(
            removed.count == 2 && removed.contains { $0.hasPrefix(old) } && removed.contains { $0.hasPrefix(astray) })
        #expect(disk.contents(old) == nil && disk.contents(astray) == nil && disk.contents(listed) != nil)
        let left = log.report.notes.filter { $0.hasSuffix("it is left alone") }
        #expect(left.count == 2 + unfinished.count)
        #expect(log.snapshot().lastSequence == Sequence(6) && log.report.faults.isEmpty)
        try await log.close()
    }

    @Test("other files in hot/ are named and left alone, and tmp/ is emptied")
    func otherFiles() async throws {
        let (disk, events, _) = try await killedStore()
        let other = "/data/interactions/hot/notes.txt"
        disk.replace(other, [1, 2, 3])
        disk.replace("/data/interactions/tmp/00000000000000000009.ndjson.lz4", [4])
        let log = try open(disk)
        #expect(try arrived(log) == events && disk.contents(other) == [1, 2, 3])
        #expect(log.report.notes.contains { $0.contains(other) })
        #expect(!disk.paths.contains { $0.contains("/tmp/") })
        try await log.close()
    }

    @Test("a segment that was damaged when the process was killed ends with its newest event, not with the reservation")
    func endOfDamaged() async throws {
        let (disk, events, commits) = try await killedStore()
        disk.flipBit(firstPath, 8 * (commits[1].upperBound - 1))
        let log = try open(disk)
        #expect(!log.report.faults.isEmpty && log.snapshot().lastSequence == events.last?.sequence)
        _ = try await log.append(TestBatch(90, buckets: [9]).lines, delivery: nil)
        #expect(try log.snapshot().lastSequence == arrived(log).last?.sequence)
        try await log.close()
    }

    @Test("with the newest seal damaged, sources are still known: a repeat is not stored again")
    func sourcesBehindDamagedSeal() async throws {
        let disk = VirtualDisk()
        let delivery = Delivery.source(SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3), number: 7)
        let batch = TestBatch(10, [TestEvent(10, bucket: .ofTest(1))], delivery: delivery)
        var log = try open(disk)
        _ = try await log.append(batch.lines, delivery: delivery)
        try await log.seal()
        try await log.close()
        disk.flipBit(firstPath, 8 * (try #require(disk.contents(firstPath)).count - 1))
        log = try open(disk)
        #expect(try await log.append(batch.lines, delivery: delivery).isRepeat)
        try await log.close()
    }

    @Test(
        "a name that the engine would not give is no segment",
        arguments: [
            "+0000000000000000001.ndjson.lz4", "00000000000000000000.ndjson.lz4", "0000000000000000001.ndjson.lz4",
            "18446744073709551615.ndjson.lz4", "00000000000000000001.ndjson", "x0000000000000000001.ndjson.lz4",
        ])
    func names(_ name: String) { #expect(Layout.hotSegment(named: name) == nil) }
}
