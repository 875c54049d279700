import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Events with keys")
struct KeyedLogTests {
    @Test(
        "whatever becomes of the log, each key has its events, and what is erased nobody sees",
        arguments: 1...12 as ClosedRange<UInt64>)
    func model(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let kept = try KeyedLog(hidesArrival: seed.isMultiple(of: 2), seed: seed)
        for step in 0..<60 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<6:
                let places = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    (
                        name: KeyedLog.names[Int.random(in: 0..<5, using: &random)],
                        bucket: kept.bucket(
                            daysAgo: .random(in: 0...3, using: &random), .random(in: 0...2, using: &random))
                    )
                }
                try await kept.append(places, copy: random.oneIn(3) ? 0 : nil)
            case 6, 7: try await kept.log.seal()
            case 8: _ = try await kept.log.compact()
            case 9: try await kept.erase(KeyedLog.names[Int.random(in: 0..<5, using: &random)])
            case 10: try await kept.reopen()
            default: try await kept.crash()
            }
            guard step % 4 == 3 else { continue }
            let limit = Int.random(in: 1...30, using: &random)
            for name in KeyedLog.names + ["nobody"] {
                #expect(try kept.lines(of: name, limit: limit) == kept.expected(of: name), "step \(step), \(name)")
            }
            let lines = kept.events.map(\.line).sorted()
            for order in ScanRequest.Order.allCases {
                #expect(try kept.scanned(order) == lines, "step \(step), order \(order)")
            }
            #expect(try kept.log.snapshot().count().events == lines.count)
        }
        try await kept.log.close()
    }

    @Test("only blocks that may hold a key are read, of sealed, cold and active segments")
    func blocks() async throws {
        let kept = try KeyedLog(hidesArrival: true)
        for day in [UInt64(3), 2] {
            for _ in 0..<50 {
                try await kept.append((0..<400).map { _ in ("crowd", kept.bucket(daysAgo: day)) })
            }
            try await kept.append([("ann", kept.bucket(daysAgo: day))])
            try await kept.log.seal()
            if day == 3 { _ = try await kept.log.compact() }
        }
        try await kept.append([("ann", kept.bucket(daysAgo: 1))])
        try await kept.append([("crowd", kept.bucket(daysAgo: 1))])
        for _ in 0..<2 {
            let snapshot = kept.log.snapshot()
            let key = KeyedLog.key("ann").indexed
            var segments = [try #require(snapshot.active?.segment)]
            for entry in snapshot.sealed.entries {
                segments.append(try #require(try snapshot.access.open(entry, store: snapshot.store)))
            }
            #expect(segments.count == 3)
            for segment in segments {
                #expect(try segment.keys.blocks(of: key, among: segment.blocks.count).count == 1)
                #expect(try segment.keys.blocks(of: key &+ 1, among: segment.blocks.count).isEmpty)
                #expect(segment.blocks.count > 1)
            }
            #expect(try kept.lines(of: "ann", limit: 2) == kept.expected(of: "ann"))
            // The keys of the active segment are found again.
            try await kept.reopen()
        }
        try await kept.log.close()
    }

    @Test("who asks first after a compaction does not wait for indexes: they are open")
    func opened() async throws {
        let kept = try KeyedLog(hidesArrival: true)
        for day in 1...3 as ClosedRange<UInt64> {
            try await kept.append(KeyedLog.names.map { ($0, kept.bucket(daysAgo: day)) })
        }
        try await kept.log.seal()
        _ = try await kept.log.compact()
        #expect(kept.log.snapshot().sealed.entries.count > 1)
        let opened = kept.disk.calls(of: .open)
        for name in KeyedLog.names { #expect(try kept.lines(of: name, limit: 3) == kept.expected(of: name)) }
        #expect(kept.disk.calls(of: .open) == opened)
        try await kept.log.close()
    }

    @Test("the index in a file is searched page by page")
    func pages() async throws {
        let kept = try KeyedLog(hidesArrival: false)
        let names = (0..<3_000).map { "n\($0)" }
        try await kept.append(names.map { ($0, kept.bucket(daysAgo: 1)) })
        try await kept.append(names.map { ($0, kept.bucket(daysAgo: 1)) })
        try await kept.log.seal()
        let snapshot = kept.log.snapshot()
        let segment = try #require(try snapshot.access.open(snapshot.sealed.entries[0], store: snapshot.store))
        guard case .sealed = segment.keys else {
            Issue.record("no index")
            return
        }
        for name in names {
            #expect(try segment.keys.blocks(of: KeyedLog.key(name).indexed, among: segment.blocks.count) == [0, 1])
        }
        try await kept.log.close()
    }

    @Test("however many copies a cursor says were delivered, a page takes no more than its lines")
    func forgedCopies() async throws {
        let kept = try KeyedLog(hidesArrival: true)
        try await kept.append((0..<5).map { _ in ("ann", kept.bucket(daysAgo: 1)) }, copy: 0)
        try await kept.append([("ann", kept.bucket(daysAgo: 2))])
        let snapshot = kept.log.snapshot()
        func page(_ cursor: KeyCursor?) throws -> KeyPage {
            let query = KeyQuery(key: KeyedLog.key("ann"), limit: 1, cursor: cursor)
            return try snapshot.page(of: query) { _ in true }
        }
        let first = try page(nil)
        let text = try #require(first.next?.text)
        for copies in [4, 5, 6, UInt64(Int.max), .max - 1, .max] {
            var words = try #require(CursorText.words(of: text, count: 5))
            #expect(words[4] == 1)
            words[4] = copies
            let forged = try #require(KeyCursor(text: CursorText.text(of: words)))
            let found = try page(forged)
            #expect((found.lines == first.lines) == (copies < 5))
            #expect((found.next == nil) == (copies >= 5))
        }
        try await kept.log.close()
    }

    @Test("a range ends where it is told, and a cursor of another key is refused")
    func range() async throws {
        let kept = try KeyedLog(hidesArrival: true)
        for day in UInt64(0)...4 { try await kept.append([("ann", kept.bucket(daysAgo: day))]) }
        let since = kept.bucket(daysAgo: 2)
        #expect(try kept.lines(of: "ann", since: since, limit: 1).count == 3)
        #expect(try kept.lines(of: "ann", since: since, limit: 1) == kept.expected(of: "ann", since: since))
        let page = try kept.log.snapshot().page(of: KeyQuery(key: KeyedLog.key("ann"), limit: 2)) { _ in true }
        let other = KeyQuery(key: KeyedLog.key("bob"), limit: 2, cursor: page.next)
        #expect { try kept.log.snapshot().page(of: other) { _ in true } } throws: {
            ($0 as? StoreError)?.code == .badCursor
        }
        let text = try #require(page.next?.text)
        #expect(KeyCursor(text: text) == page.next)
        #expect(KeyCursor(text: text.dropLast() + "x") == nil)
        #expect(KeyCursor(text: String(text.reversed())) == nil)
        #expect(KeyCursor(text: "") == nil)
        try await kept.log.close()
    }
}

@Suite("Erasing")
struct ErasureTests {
    private func filled(hidesArrival: Bool) async throws -> KeyedLog {
        let kept = try KeyedLog(hidesArrival: hidesArrival)
        for day in [UInt64(3), 2, 1] {
            for name in KeyedLog.names { try await kept.append((0..<5).map { (name, kept.bucket(daysAgo: day, $0)) }) }
            try await kept.log.seal()
            if day == 2 { _ = try await kept.log.compact() }
        }
        try await kept.append(KeyedLog.names.map { ($0, kept.bucket(daysAgo: 0)) })
        return kept
    }

    @Test(
        "nothing of what was erased is left after a compaction, and the tombstone goes with it",
        arguments: [true, false])
    func removed(hidesArrival: Bool) async throws {
        let kept = try await filled(hidesArrival: hidesArrival)
        try await kept.erase("ann")
        #expect(try kept.stored().contains { $0.lines.contains("ann") })
        #expect(kept.log.snapshot().erased(KeyedLog.key("ann")) != nil)
        #expect(try kept.lines(of: "ann", limit: 10).isEmpty)
        try await kept.reopen()
        #expect(try kept.lines(of: "ann", limit: 10).isEmpty)
        try await kept.append([("ann", kept.bucket(daysAgo: 0))])
        #expect(try kept.lines(of: "ann", limit: 10).count == 1)
        _ = try await kept.log.compact()
        #expect(try kept.stored().reduce(0) { $0 + $1.lines.split(separator: "ann").count - 1 } == 1)
        #expect(kept.log.snapshot().erased(KeyedLog.key("ann")) == nil)
        #expect(try kept.lines(of: "ann", limit: 10) == kept.expected(of: "ann"))
        #expect(try kept.scanned(.time) == kept.events.map(\.line).sorted())
        // There is nothing left to do.
        let files = kept.log.snapshot().segments.map(\.number)
        #expect(try await kept.log.compact().passes == 0)
        #expect(kept.log.snapshot().segments.map(\.number) == files)
        try await kept.log.close()
    }

    @Test("what a hold covers stays on the disk, unseen, and so does the tombstone until the hold is gone")
    func held() async throws {
        let kept = try await filled(hidesArrival: true)
        let day = kept.bucket(daysAgo: 2)
        let hold = try await kept.log.addHold(
            day.milliseconds...day.milliseconds + 4 * 600_000, reason: "a case")
        try await kept.erase("bob")
        _ = try await kept.log.compact()
        #expect(try kept.stored().filter { $0.lines.contains("bob") }.map(\.meta.firstBucket.day) == [day.day])
        #expect(try kept.lines(of: "bob", limit: 10).isEmpty)
        #expect(try kept.scanned(.arrival) == kept.events.map(\.line).sorted())
        #expect(kept.log.snapshot().erased(KeyedLog.key("bob")) != nil)
        _ = try await kept.log.removeHold(hold.number)
        _ = try await kept.log.compact()
        #expect(try !kept.stored().contains { $0.lines.contains("bob") })
        #expect(kept.log.snapshot().erased(KeyedLog.key("bob")) == nil)
        try await kept.log.close()
    }

    @Test("without the keys nothing is shown that may be erased, and nothing written anew")
    func keyless() async throws {
        func isRefused(_ body: () async throws -> Void) async -> Bool {
            do {
                try await body()
                return false
            } catch { return (error as? StoreError)?.code == .mismatch }
        }
        let kept = try await filled(hidesArrival: true)
        try await kept.log.seal()
        try await kept.reopen(withKeys: false)
        #expect(await isRefused { _ = try await kept.log.compact() })
        #expect(try kept.scanned(.time) == kept.events.map(\.line).sorted())
        try await kept.reopen()
        try await kept.erase("ann")
        try await kept.reopen(withKeys: false)
        let snapshot = kept.log.snapshot()
        #expect(await isRefused { _ = try Scan(snapshot, ScanRequest()) })
        #expect(await isRefused { _ = try snapshot.count() })
        #expect(await isRefused { _ = try snapshot.last() })
        #expect(await isRefused { _ = try snapshot.line(of: .first) })
        let query = KeyQuery(key: KeyedLog.key("ann"), limit: 1)
        #expect(await isRefused { _ = try snapshot.page(of: query) { _ in true } })
        #expect(await isRefused { _ = try await kept.log.compact() })
        try await kept.reopen()
        _ = try await kept.log.compact()
        #expect(try !kept.stored().contains { $0.lines.contains("ann") })
        try await kept.log.close()
    }

    @Test("a purge keeps what is not erased and not too old", arguments: [true, false])
    func purged(hidesArrival: Bool) async throws {
        let kept = try await filled(hidesArrival: hidesArrival)
        try await kept.erase("cid")
        var options = PurgeOptions()
        options.policy = RetentionPolicy(maxAgeMilliseconds: 2 * 86_400_000 - 1_200_000)
        let report = try await kept.log.purge(options)
        #expect(report.deferred.isEmpty)
        kept.purge(before: kept.log.horizon)
        #expect(Set(kept.events.map(\.bucket.day)).count == 3)
        for name in KeyedLog.names { #expect(try kept.lines(of: name, limit: 3) == kept.expected(of: name)) }
        #expect(try kept.scanned(.arrival) == kept.events.map(\.line).sorted())
        try await kept.log.close()
    }

    @Test("tags and cursors of before are told that something went")
    func tags() async throws {
        let kept = try await filled(hidesArrival: false)
        let tag = try kept.log.snapshot().tag()
        let scan = try Scan(kept.log.snapshot(), ScanRequest(limit: 1))
        while try scan.next() != nil {}
        let cursor = scan.summary.cursor
        try await kept.erase("ann")
        #expect(try kept.log.snapshot().tag() != tag)
        #expect { try Scan(kept.log.snapshot(), ScanRequest(cursor: cursor)) } throws: {
            ($0 as? StoreError)?.code == .goneCursor
        }
        try await kept.log.close()
    }
}

@Suite("The order of arrival, hidden")
struct HiddenArrivalTests {
    /// The same events, in other orders inside their buckets, in a log that was compacted.
    private func compacted(shuffle: UInt64) async throws -> [(meta: BlockMeta, lines: String)] {
        let kept = try KeyedLog(hidesArrival: true)
        var random = SeededRandom(seed: shuffle)
        for part in 0..<4 {
            let places = (0..<900).map { index in
                (name: "number \(index % 300) of the part \(part)", bucket: kept.bucket(daysAgo: 1, UInt64(index % 3)))
            }
            try await kept.append(places.shuffled(using: &random), copy: 0)
            try await kept.log.seal()
        }
        _ = try await kept.log.compact()
        let stored = try kept.stored()
        try await kept.log.close()
        return stored
    }

    @Test("events that came in another order lie in a compacted segment as these do")
    func order() async throws {
        let first = try await compacted(shuffle: 1)
        let second = try await compacted(shuffle: 2)
        #expect(first.map(\.lines) == second.map(\.lines))
        #expect(first.map(\.meta.arrangement).allSatisfy { $0 == .perBlock })
        #expect(first.count > 1)
        #expect(Set(first.map { [$0.meta.firstSequence, $0.meta.lastSequence] }).count == 1)
    }

    @Test(
        "a bucket beyond the budget is gone through in parts, with the same result",
        arguments: [1 << 30, 60_000, 2_000])
    func parts(budget: Int) async throws {
        let kept = try KeyedLog(hidesArrival: true)
        for day in [UInt64(2), 1] {
            try await kept.append((0..<1_000).map { ("n\($0)", kept.bucket(daysAgo: day)) })
            try await kept.append((0..<500).map { _ in ("same", kept.bucket(daysAgo: day)) }, copy: 0)
            try await kept.append([("few", kept.bucket(daysAgo: day, 1))])
        }
        let snapshot = kept.log.snapshot()
        var lines: [(bucket: Bucket, line: String)] = []
        try HashOrder(snapshot, budget: budget) { _ in }.forEachStretch { bytes, bucket, count in
            #expect(bytes.lineFeeds == count)
            bytes.forEachLine { lines.append((bucket, String(decoding: $0, as: UTF8.self))) }
        }
        let expected = kept.events.map { event in
            (
                bucket: event.bucket, hash: Array(event.line.utf8).withUnsafeBytes { snapshot.orderHash($0) },
                line: event.line
            )
        }.sorted {
            $0.bucket == $1.bucket
                ? ($0.hash.high, $0.hash.low) < ($1.hash.high, $1.hash.low) : $0.bucket < $1.bucket
        }
        #expect(lines.map(\.line) == expected.map(\.line))
        #expect(lines.map(\.bucket) == expected.map(\.bucket))
        try await kept.log.close()
    }
}

@Suite("Lines that later ones make needless")
struct SuccessionOfLinesTests {
    /// One line a name: that of the last bucket.
    private func keys(hidesArrival: Bool, _ last: [String: Bucket]) -> StreamKeys {
        var keys = KeyedLog.keys(hidesArrival: hidesArrival)
        keys.succession = StreamKeys.Succession(
            lines: { UInt64(last.count) },
            isSuperseded: { line, bucket in last[KeyedLog.name(line)].map { bucket < $0 } ?? false })
        return keys
    }

    @Test("a compaction leaves one line a name, of any day, but what a hold covers stays", arguments: [true, false])
    func folded(hidesArrival: Bool) async throws {
        let clock = try KeyedLog(hidesArrival: hidesArrival)
        let places = (0..<8).flatMap { day in
            KeyedLog.names.prefix(day < 4 ? 5 : 3).map { (name: $0, bucket: clock.bucket(daysAgo: UInt64(8 - day))) }
        }
        var last: [String: Bucket] = [:]
        for place in places { last[place.name] = max(last[place.name] ?? .earliest, place.bucket) }
        let kept = try KeyedLog(keys: keys(hidesArrival: hidesArrival, last))
        let held = kept.bucket(daysAgo: 7)
        _ = try await kept.log.addHold(held.milliseconds...held.milliseconds, reason: "a case")
        for place in places {
            try await kept.append([place])
            if place.name == "bob" { try await kept.log.seal() }
            if place.name == "bob", place.bucket.day.isMultiple(of: 3) { _ = try await kept.log.compact() }
        }
        try await kept.log.seal()
        _ = try await kept.log.compact()
        let expected = kept.events.filter { $0.bucket == last[$0.name] || $0.bucket == held }
        #expect(try kept.scanned(.time) == expected.map(\.line).sorted())
        #expect(try await kept.log.compact().passes == 0)
        try await kept.log.close()
    }
}
