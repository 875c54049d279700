import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Scans")
struct ScanTests {
    private let environment = TestEnvironment()
    private let disk = VirtualDisk()

    private func open() throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    @Test("in order of arrival only events above a sequence come, wherever in a block it lies")
    func after() async throws {
        let log = try open()
        _ = try await log.append(TestBatch(10, buckets: [2, 1, 2, 1, 3]).lines, delivery: nil)
        for after in 0...5 {
            let events = try readAll(log.snapshot(), ScanRequest(order: .arrival, after: Sequence(UInt64(after))))
                .events
            #expect(events.map(\.sequence.value) == Array(UInt64(after + 1)..<6))
        }
        expectCode(.badArgument) { () throws(StoreError) in
            _ = try Scan(log.snapshot(), ScanRequest(order: .time, after: Sequence(1)))
        }
        try await log.close()
    }

    @Test("a cursor is read from just the text that it gave")
    func cursorText() async throws {
        let log = try open()
        _ = try await log.append(TestBatch(10, buckets: [2, 1]).lines, delivery: nil)
        let cursor = try #require(try readAll(log.snapshot(), ScanRequest(limit: 1)).summary.cursor)
        #expect(ScanCursor(text: cursor.text) == cursor)
        let bad = [
            "", "0", cursor.text.uppercased(), "-" + cursor.text.dropFirst(), "+" + cursor.text.dropFirst(),
            " " + cursor.text.dropFirst(), cursor.text + "0", String(cursor.text.dropLast()),
            String(cursor.text.reversed()),
        ]
        for text in bad { #expect(ScanCursor(text: text) == nil, "\(text)") }
        try await log.close()
    }

    @Test("a damaged event is not an event that never was")
    func lineOfDamaged() async throws {
        let log = try open()
        _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
        disk.flipBit(SmallStore.sealedPath, 8 * (try #require(disk.contents(SmallStore.sealedPath)).count - 1))
        let snapshot = log.snapshot()
        expectCode(.corrupt) { () throws(StoreError) in _ = try snapshot.line(of: Sequence(1)) }
        #expect(try snapshot.line(of: Sequence(2)) == nil)
        try await log.close()
    }
}
