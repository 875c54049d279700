import HTTPTypes
import HummingbirdCore
import LogEngine
import Logging
import NIOCore
import NIOPosix
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("pieces of an answer")
struct EventPiecesTests {
    private struct Told: Equatable {
        var body: [UInt8] = []
        var count = 0
        var isComplete = false
        var cursor: ScanCursor?
    }

    /// Late events over many commits and two segments, short lines and long ones.
    private static func fill(_ log: EventLog) async throws {
        var random = SeededRandom(seed: 5)
        for commit in 0..<24 {
            let batch = LineBatch()
            for number in 0..<Int.random(in: 1...40, using: &random) {
                let bucket = Bucket.ofTest(max(0, commit / 4 - Int.random(in: 0...3, using: &random)))
                let length = Int.random(in: 0...24, using: &random) == 0 ? 90_000 : 300
                let line =
                    #"{"timestamp":\#(bucket.milliseconds),"n":\#(number),"pad":"\#(String(repeating: "x", count: length))"}"#
                Array(line.utf8).withUnsafeBytes { batch.append($0, bucket: bucket) }
            }
            _ = try await log.append(batch, delivery: nil)
            if commit == 12 { try await log.seal() }
        }
    }

    private func tell(_ log: EventLog, _ request: ScanRequest, _ form: EventForm, _ places: ScanPlaces) throws -> Told {
        let pieces = try EventPieces(log.snapshot(), request, form: form, places: places) { log.snapshot() }
        var told = Told()
        while let piece = try pieces.next() {
            let most = pieces.hasPlace ? EventPieces.pieceBytes : 2 * EventPieces.lonePieceBytes
            #expect(form.codec != nil || piece.readableBytes <= most)
            told.body += Array(piece.readableBytesView)
        }
        #expect(try pieces.next() == nil)
        #expect(pieces.hash.hex == digest(told.body))
        (told.count, told.isComplete, told.cursor) = (pieces.count, pieces.isComplete, pieces.cursor)
        return told
    }

    @Test("an answer whose scan has no place is the same", arguments: [EventForm.lines, .rows, .changes, .frames])
    func same(form: EventForm) async throws {
        try await TestServer.run { server in
            try await Self.fill(server.log)
            for order in form == .frames ? [.arrival] : ScanRequest.Order.allCases {
                for limit in [nil, 2, 99, 300] as [Int?] {
                    var request = ScanRequest(order: order, limit: limit)
                    for _ in 0..<2 {
                        let kept = try tell(server.log, request, form, ScanPlaces())
                        let alone = try tell(server.log, request, form, ScanPlaces(0))
                        #expect(alone == kept, "\(order), \(limit ?? 0)")
                        guard let cursor = kept.cursor else { break }
                        request.cursor = cursor
                    }
                }
            }
        }
    }

    @Test("a coded answer holds the same lines with a place and without, and its pages")
    func coded() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.log)
            for order in ScanRequest.Order.allCases {
                for limit in [nil, 2, 99, 300] as [Int?] {
                    var request = ScanRequest(order: order, limit: limit)
                    for _ in 0..<2 {
                        let plain = try tell(server.log, request, .lines, ScanPlaces())
                        for places in [ScanPlaces(), ScanPlaces(0)] {
                            var coded = try tell(server.log, request, .codedLines, places)
                            #expect(coded.body.count < plain.body.count / 2)
                            coded.body = try decodedZstandard(coded.body)
                            #expect(coded == plain, "\(order), \(limit ?? 0)")
                        }
                        guard let cursor = plain.cursor else { break }
                        request.cursor = cursor
                    }
                }
            }
        }
    }

    @Test("there are only so many places, and each is given back")
    func places() {
        let places = ScanPlaces(3)
        var taken = (0..<3).map { _ in places.take() }
        #expect(taken.allSatisfy { $0 != nil } && places.take() == nil)
        taken.removeLast()
        taken.append(places.take())
        #expect(taken.last != nil && places.take() == nil)
    }

    /// What a client was sent, and whether a place was free just then.
    private struct Recorder: ResponseBodyWriter {
        final class Record: @unchecked Sendable { var steps: [String] = [] }

        let places: ScanPlaces
        let record = Record()

        func write(_ buffer: ByteBuffer) { note("\(buffer.readableBytes) bytes") }
        consuming func finish(_ trailer: HTTPFields?) { note("the end") }

        private func note(_ step: String) {
            record.steps.append(places.take() == nil ? step : "\(step), a place is free")
        }
    }

    @Test("an answer keeps its place until the client has taken all that was told")
    func keptPlace() async throws {
        try await TestServer.run { server in
            try await server.append(3, bytes: 100)
            let blocking = NIOThreadPool(numberOfThreads: 1)
            blocking.start()
            let recorder = Recorder(places: ScanPlaces(1))
            let pieces = try EventPieces(server.log.snapshot(), ScanRequest(), form: .lines, places: recorder.places) {
                server.log.snapshot()
            }
            let streamer = EventStreamer(
                log: server.log, blocking: blocking, departure: ClientDeparture(), counters: server.counters,
                limit: .seconds(60), drain: Drain(), logger: Logger(label: "test"))
            let record = recorder.record
            try await streamer.write(EventAnswer(form: .lines, pieces: pieces), to: recorder)
            #expect(record.steps == ["411 bytes", "0 bytes", "the end, a place is free"])
            try await blocking.shutdownGracefully()
        }
    }

    @Test("an answer that has given up its place takes one again for what comes")
    func followers() async throws {
        try await TestServer.run { server in
            try await server.append(3, bytes: 100)
            let places = ScanPlaces(1)
            let request = ScanRequest(order: .arrival, after: Sequence(0))
            let pieces = try EventPieces(server.log.snapshot(), request, form: .lines, places: places) {
                server.log.snapshot()
            }
            #expect(pieces.hasPlace && places.take() == nil)
            while try pieces.next() != nil {}
            pieces.close()
            #expect(!pieces.hasPlace && places.take() != nil)
            try await server.append(2, bytes: 100)
            try pieces.proceed(server.log.snapshot(), ScanRequest(order: .arrival, after: Sequence(3)))
            #expect(pieces.hasPlace)
            while try pieces.next() != nil {}
            #expect(pieces.count == 5 && pieces.isComplete && pieces.cursor == nil)
        }
    }
}
