import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Scans")
struct ScanTests {
    /// Nine events of four buckets: one segment sealed, the other active, both shuffled.
    private func shuffledLog() async throws -> ScannedLog {
        var scanned = try ScannedLog()
        try await scanned.append(TestBatch(10, buckets: [2, 1, 2, 4]))
        try await scanned.append(TestBatch(20, buckets: [1]))
        try await scanned.log.seal()
        try await scanned.append(TestBatch(30, buckets: [6, 1, 1, 4]))
        return scanned
    }

    // MARK: - Ranges and limits

    @Test("a range has both ends in, and may be open at either", arguments: ScanRequest.Order.allCases)
    func ranges(_ order: ScanRequest.Order) async throws {
        let scanned = try await shuffledLog()
        let times = [1, 2, 4, 6].map { Bucket.ofTest($0).milliseconds }
        let points: [UInt64] = [0, .max] + times.map { $0 - 1 } + times + times.map { $0 + 1 }
        for from in points {
            for to in points where to >= from {
                let (events, summary) = try scanned.read(ScanRequest(range: from...to, order: order))
                #expect(events == scanned.reference.scan(from...to, order: order), "\(from)…\(to)")
                #expect(summary.isComplete && summary.cursor == nil && summary.lines == events.count)
            }
        }
        try await scanned.log.close()
    }

    @Test("a limit cuts the order short, and says where to go on", arguments: ScanRequest.Order.allCases)
    func limits(_ order: ScanRequest.Order) async throws {
        let scanned = try await shuffledLog()
        for limit in 1...11 {
            let (events, summary) = try scanned.read(ScanRequest(order: order, limit: limit))
            #expect(events == scanned.reference.scan(order: order, limit: limit))
            #expect((summary.cursor == nil) == (limit >= 9))
        }
        for limit in [0, -1] {
            expectCode(.badArgument) { () throws(StoreError) in
                _ = try Scan(scanned.log.snapshot(), ScanRequest(order: order, limit: limit))
            }
        }
        try await scanned.log.close()
    }

    @Test("what lies behind a full page and beyond the range does not make another page")
    func limitAtEnd() async throws {
        var scanned = try ScannedLog()
        try await scanned.append(TestBatch(10, buckets: [2, 1]))
        try await scanned.append(TestBatch(20, buckets: [1, 5]))
        try await scanned.append(TestBatch(30, buckets: [1, 3]))
        try await scanned.append(TestBatch(40, buckets: [5]))
        for order in ScanRequest.Order.allCases {
            for (last, count) in [(1, 3), (2, 4), (3, 5), (5, 7)] {
                let range = 0...Bucket.ofTest(last).milliseconds
                for limit in 1...count {
                    let summary = try scanned.read(ScanRequest(range: range, order: order, limit: limit)).summary
                    #expect((summary.cursor == nil) == (limit == count) && summary.lines == limit, "\(last), \(limit)")
                }
            }
        }
        try await scanned.log.close()
    }

    @Test("in order of arrival only events above a sequence come, wherever in a block it lies")
    func after() async throws {
        let scanned = try await shuffledLog()
        for after in 0...10 as ClosedRange<UInt64> {
            let request = ScanRequest(order: .arrival, after: Sequence(after))
            #expect(try scanned.read(request).events == scanned.reference.scan(order: .arrival, after: Sequence(after)))
        }
        expectCode(.badArgument) { () throws(StoreError) in
            _ = try Scan(scanned.log.snapshot(), ScanRequest(order: .time, after: Sequence(1)))
        }
        try await scanned.log.close()
    }

    @Test("each sequence names its line, and no other does")
    func lines() async throws {
        let scanned = try await shuffledLog()
        for entry in scanned.reference.entries {
            #expect(try scanned.log.snapshot().line(of: entry.sequence) == Array(entry.event.line.utf8))
        }
        for sequence: UInt64 in [0, 10, .max] {
            #expect(try scanned.log.snapshot().line(of: Sequence(sequence)) == nil)
        }
        try await scanned.log.close()
    }

    @Test("a damaged event is not an event that never was")
    func lineOfDamaged() async throws {
        var scanned = try ScannedLog()
        try await scanned.append(TestBatch(10, buckets: [1]))
        let bytes = try #require(scanned.disk.contents(SmallStore.sealedPath))
        scanned.disk.flipBit(SmallStore.sealedPath, 8 * (bytes.count - 1))
        let snapshot = scanned.log.snapshot()
        expectCode(.corrupt) { () throws(StoreError) in _ = try snapshot.line(of: Sequence(1)) }
        #expect(try snapshot.line(of: Sequence(2)) == nil)
        try await scanned.log.close()
    }

    // MARK: - Cursors

    @Test("pages of any size together are the whole, in each order and range", arguments: ScanRequest.Order.allCases)
    func pages(_ order: ScanRequest.Order) async throws {
        let scanned = try await shuffledLog()
        let (early, late) = (Bucket.ofTest(1).milliseconds, Bucket.ofTest(4).milliseconds)
        for range in [0...UInt64.max, early...late, late...late, early + 1...late] {
            let whole = scanned.reference.scan(range, order: order)
            for size in 1...whole.count + 1 {
                let pages = try scanned.pages(ScanRequest(range: range, order: order, limit: size))
                #expect(pages.flatMap { $0 } == whole, "pages of \(size)")
                #expect(pages.dropLast().allSatisfy { $0.count == size })
                #expect(pages.count == (whole.count + size - 1) / size)
            }
        }
        try await scanned.log.close()
    }

    @Test("pages are of one moment: what is appended between them, early or late, does not show")
    func pinned() async throws {
        for order in ScanRequest.Order.allCases {
            var scanned = try await shuffledLog()
            let whole = scanned.reference.scan(order: order)
            var request = ScanRequest(order: order, limit: 2)
            var events: [ReadEvent] = []
            for round in 0... {
                let page = try scanned.read(request)
                events += page.events
                guard let cursor = page.summary.cursor else { break }
                request.cursor = cursor
                try await scanned.append(TestBatch(100 + 10 * round, buckets: [0, 9, 1]))
                if round == 1 { try await scanned.log.seal() }
            }
            #expect(events == whole)
            try await scanned.log.close()
        }
    }

    @Test("a cursor is read from just the text that it gave")
    func cursorText() async throws {
        let scanned = try await shuffledLog()
        let cursor = try #require(try scanned.read(ScanRequest(limit: 1)).summary.cursor)
        #expect(ScanCursor(text: cursor.text) == cursor)
        let bad = [
            "", "0", cursor.text.uppercased(), "-" + cursor.text.dropFirst(), "+" + cursor.text.dropFirst(),
            " " + cursor.text.dropFirst(), cursor.text + "0", String(cursor.text.dropLast()),
            String(cursor.text.reversed()),
        ]
        for text in bad { #expect(ScanCursor(text: text) == nil, "\(text)") }
        try await scanned.log.close()
    }

    @Test("a cursor of another order, range, store or of the future is refused")
    func foreignCursors() async throws {
        var scanned = try await shuffledLog()
        let other = try ScannedLog(seed: 2)
        let before = scanned.log.snapshot()
        try await scanned.append(TestBatch(50, buckets: [3]))
        for order in ScanRequest.Order.allCases {
            let first = ScanRequest(order: order, limit: 1)
            let cursor = try #require(try scanned.read(first).summary.cursor)
            let turned: ScanRequest.Order = order == .time ? .arrival : .time
            expectCode(.badCursor) { () throws(StoreError) in _ = try Scan(before, first.going(on: cursor)) }
            expectCode(.badCursor) { () throws(StoreError) in
                _ = try Scan(other.log.snapshot(), first.going(on: cursor))
            }
            let foreign = [
                ScanRequest(order: turned), ScanRequest(range: 1...UInt64.max, order: order),
                ScanRequest(range: 0...UInt64.max - 1, order: order),
            ]
            for request in foreign {
                expectCode(.badCursor) { () throws(StoreError) in
                    _ = try Scan(scanned.log.snapshot(), request.going(on: cursor))
                }
            }
        }
        try await scanned.log.close()
        try await other.log.close()
    }

    @Test("a cursor behind an event that its first page did not have is refused")
    func forgedPosition() async throws {
        let scanned = try await shuffledLog()
        let snapshot = scanned.log.snapshot()
        for order in ScanRequest.Order.allCases {
            let first = ScanRequest(order: order, limit: 1)
            let cursor = try #require(try scanned.read(first).summary.cursor)
            // In order of arrival nothing can be behind it.
            for (sequence, isTaken) in [(snapshot.lastSequence.value, true), (UInt64.max, order == .arrival)] {
                var words = try #require(CursorText.words(of: cursor.text, count: 7))
                words[3] = sequence
                let forged = try #require(ScanCursor(text: CursorText.text(of: words)))
                let scan = Result { () throws(StoreError) in try Scan(snapshot, first.going(on: forged)) }
                switch scan {
                case .success: #expect(isTaken)
                case .failure(let error): #expect(!isTaken && error.code == .badCursor)
                }
            }
        }
        try await scanned.log.close()
    }

    // MARK: - Purge and erasure

    @Test("events before the horizon are not there, in either order or by sequence")
    func horizon() async throws {
        let scanned = try await shuffledLog()
        let purged = try scanned.snapshot { $0.horizon = .ofTest(4) }
        for order in ScanRequest.Order.allCases {
            let kept = scanned.reference.scan(Bucket.ofTest(4).milliseconds...UInt64.max, order: order)
            #expect(try readAll(purged, ScanRequest(order: order)).events == kept)
        }
        for entry in scanned.reference.entries {
            #expect((try purged.line(of: entry.sequence) == nil) == (entry.event.bucket < .ofTest(4)))
        }
        try await scanned.log.close()
    }

    @Test("a cursor that had still to deliver what was purged is gone, another goes on", arguments: 1...8)
    func purged(delivered: Int) async throws {
        let scanned = try await shuffledLog()
        for order in ScanRequest.Order.allCases {
            for from in [0, 2, 4] {
                let range = Bucket.ofTest(from).milliseconds...UInt64.max
                let request = ScanRequest(range: range, order: order, limit: delivered)
                let whole = scanned.reference.scan(range, order: order)
                guard let cursor = try scanned.read(request).summary.cursor else { continue }
                for horizon in 0...7 {
                    let snapshot = try scanned.snapshot { $0.horizon = .ofTest(horizon) }
                    let isPast = order == .time && cursor.position.bucket >= .ofTest(horizon)
                    if isPast || horizon <= from {
                        let rest = try readAll(snapshot, ScanRequest(range: range, order: order, cursor: cursor))
                        #expect(rest.events == Array(whole.dropFirst(delivered)), "\(order), horizon \(horizon)")
                    } else {
                        expectCode(.goneCursor) { () throws(StoreError) in
                            _ = try Scan(snapshot, request.going(on: cursor))
                        }
                    }
                }
            }
        }
        try await scanned.log.close()
    }

    @Test("after an erasure every cursor is gone", arguments: ScanRequest.Order.allCases)
    func erased(_ order: ScanRequest.Order) async throws {
        let scanned = try await shuffledLog()
        let request = ScanRequest(order: order, limit: 8)
        let cursor = try #require(try scanned.read(request).summary.cursor)
        let erased = try scanned.snapshot { $0.eraseCount += 1 }
        expectCode(.goneCursor) { () throws(StoreError) in _ = try Scan(erased, request.going(on: cursor)) }
        try await scanned.log.close()
    }
}

extension ScanRequest {
    /// The same query, behind a page.
    func going(on cursor: ScanCursor) -> ScanRequest {
        var next = self
        next.cursor = cursor
        return next
    }
}
