import HTTPTypes
import HummingbirdCore
import LogEngine
import Logging
import NIOCore
import NIOPosix
import SegmentFormat
import Synchronization
import TestSupport
import Testing

@testable import WebAPI

/// Where an answer is cut that takes longer than it may.
@Suite("scans that take too long")
struct CutScanTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let form: EventForm
        let order: ScanRequest.Order
        let hasPlace: Bool
        var testDescription: String { "\(form), \(order), \(hasPlace ? "with" : "without") a place" }
    }

    private static let cases = [EventForm.lines, .rows, .codedLines, .frames].flatMap { form in
        [ScanRequest.Order.time, .arrival].flatMap { order in
            [true, false].map { Case(form: form, order: order, hasPlace: $0) }
        }
    }.filter { $0.form != .frames || $0.order == .arrival }

    @Test("the body ends behind a whole line, and the cursor goes on just there", arguments: cases)
    func cut(_ its: Case) async throws {
        try await TestServer.run(on: VirtualDisk(), at: "/data") { server in
            var random = SeededRandom(seed: 1)
            for bucket in [2, 0, 9, 1, 5, 7, 6, 3, 4, 8] {
                try await Self.append(400, .ofTest(bucket), &random, to: server.log)
            }
            let blocking = NIOThreadPool(numberOfThreads: 2)
            blocking.start()
            let whole = try await Self.answer(its, cursor: nil, cutBehind: .max, server, blocking)
            #expect(whole.trailer[.daybookComplete] == "true" && whole.trailer[.daybookCount] == "4000")
            let cut = try await Self.answer(its, cursor: nil, cutBehind: 1, server, blocking)
            #expect(cut.trailer[.daybookComplete] == "false")
            #expect(cut.trailer[.daybookReason] == "scan_too_long")
            #expect(cut.trailer[.daybookDigest] == digest(cut.body))
            let count = try #require(cut.trailer[.daybookCount].flatMap { Int($0) })
            #expect(count > 0 && count < 4_000)
            if its.form == .lines || its.form == .rows { #expect(cut.body.count { $0 == 0x0A } == count) }
            let cursor = try #require(cut.trailer[.daybookCursor].flatMap { ScanCursor(text: $0) })
            let rest = try await Self.answer(its, cursor: cursor, cutBehind: .max, server, blocking)
            #expect(rest.trailer[.daybookCount] == String(4_000 - count))
            if its.form == .lines { #expect(cut.body + rest.body == whole.body) }
            try await blocking.shutdownGracefully()
        }
    }

    /// One batch, in a block of its own, that no codec makes much smaller.
    private static func append(
        _ lines: Int, _ bucket: Bucket, _ random: inout SeededRandom, to log: EventLog
    ) async throws {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let batch = LineBatch(capacity: lines * 2_100)
        for number in 0..<lines {
            let pad = String((0..<2_000).map { _ in letters[Int(random.next() % 64)] })
            let line = Array(#"{"timestamp":\#(bucket.milliseconds),"n":\#(number),"pad":"\#(pad)"}"#.utf8)
            line.withUnsafeBytes { batch.append($0, bucket: bucket) }
        }
        _ = try await log.append(batch, delivery: nil)
    }

    /// An answer whose time is up while the n-th of its pieces is on its way.
    private static func answer(
        _ its: Case, cursor: ScanCursor?, cutBehind pieces: Int, _ server: TestServer, _ blocking: NIOThreadPool
    ) async throws -> Recorder.Record {
        let request = ScanRequest(order: its.order, cursor: cursor)
        let places = ScanPlaces(its.hasPlace ? 1 : 0)
        let streamer = EventStreamer(
            log: server.log, blocking: blocking, departure: ClientDeparture(), counters: server.counters,
            limit: .seconds(1), drain: Drain(), logger: Logger(label: "test"))
        let source = try EventPieces(server.log.snapshot(), request, form: its.form, places: places) {
            server.log.snapshot()
        }
        let recorder = Recorder(clock: server.clock, pieces: pieces)
        try await streamer.write(EventAnswer(form: its.form, pieces: source), to: recorder)
        return recorder.record.withLock { $0 }
    }

    /// A client whose clock moves on once it has some pieces.
    private struct Recorder: ResponseBodyWriter {
        struct Record: Sendable {
            var body: [UInt8] = []
            var pieces = 0
            var trailer: HTTPFields = [:]
        }

        let clock: ManualClock
        let pieces: Int
        let record = Shared()

        final class Shared: Sendable {
            private let record = Mutex(Record())
            func withLock<Result: Sendable>(_ body: (inout Record) -> Result) -> Result {
                record.withLock { body(&$0) }
            }
        }

        mutating func write(_ buffer: ByteBuffer) async throws {
            let count = record.withLock { record in
                record.body += buffer.readableBytesView
                record.pieces += buffer.readableBytes > 0 ? 1 : 0
                return record.pieces
            }
            if count == pieces, buffer.readableBytes > 0 { clock.advance(by: 1_000) }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
            record.withLock { $0.trailer = trailingHeaders ?? [:] }
        }
    }
}
