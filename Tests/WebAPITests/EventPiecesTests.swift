import LogEngine
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
        for commit in 0..<60 {
            let batch = LineBatch()
            for number in 0..<Int.random(in: 1...40, using: &random) {
                let bucket = Bucket.ofTest(max(0, commit / 4 - Int.random(in: 0...3, using: &random)))
                let length = Int.random(in: 0...9, using: &random) == 0 ? 90_000 : 300
                let line =
                    #"{"timestamp":\#(bucket.milliseconds),"n":\#(number),"pad":"\#(String(repeating: "x", count: length))"}"#
                Array(line.utf8).withUnsafeBytes { batch.append($0, bucket: bucket) }
            }
            _ = try await log.append(batch, delivery: nil)
            if commit == 30 { try await log.seal() }
        }
    }

    private func tell(_ log: EventLog, _ request: ScanRequest, _ form: EventForm, _ place: ScanPlace?) throws -> Told {
        let pieces = try EventPieces(log.snapshot(), request, form: form, place: place)
        var told = Told()
        while case let some = try pieces.next(), !some.isEmpty {
            #expect(place != nil || some.count == 1)
            for piece in some {
                #expect(form == .frames || piece.readableBytes <= EventPieces.pieceBytes)
                told.body += Array(piece.readableBytesView)
            }
        }
        #expect(try pieces.next().isEmpty)
        #expect(EventAnswer.hex(pieces.hash) == digest(told.body))
        (told.count, told.isComplete, told.cursor) = (pieces.count, pieces.isComplete, pieces.cursor)
        return told
    }

    @Test("an answer whose scan has no place is the same", arguments: [EventForm.lines, .rows, .changes, .frames])
    func same(form: EventForm) async throws {
        try await TestServer.run { server in
            try await Self.fill(server.log)
            let places = ScanPlaces()
            for order in form == .frames ? [.arrival] : ScanRequest.Order.allCases {
                for limit in [nil, 2, 99, 700] as [Int?] {
                    var request = ScanRequest(order: order, limit: limit)
                    for _ in 0..<2 {
                        let kept = try tell(server.log, request, form, places.take())
                        #expect(try tell(server.log, request, form, nil) == kept, "\(order), \(limit ?? 0)")
                        guard let cursor = kept.cursor else { break }
                        request.cursor = cursor
                    }
                }
            }
        }
    }

    @Test("there are only so many places, and each is given back")
    func places() {
        let places = ScanPlaces()
        var taken = (0..<ScanPlaces.count).map { _ in places.take() }
        #expect(taken.allSatisfy { $0 != nil } && places.take() == nil)
        taken.removeLast()
        taken.append(places.take())
        #expect(taken.last != nil && places.take() == nil)
    }
}
