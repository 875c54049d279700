import LogEngine
import SegmentFormat
import Testing

@testable import WebAPI

@Suite("pieces of an answer")
struct EventPiecesTests {
    /// All pieces, as many as were made at a time; from step `crowdedFrom` on, many answers are running.
    private static func pieces(_ server: TestServer, _ form: EventForm, crowdedFrom: Int?) throws -> [[[UInt8]]] {
        let counters = Counters()
        let pieces = try EventPieces(
            server.log.snapshot(), ScanRequest(order: .arrival, after: Sequence(0)), form: form, counters: counters)
        var all: [[[UInt8]]] = []
        repeat {
            if all.count == crowdedFrom { for _ in 0...8 { counters.beginStreaming() } }
            all.append(try pieces.next().map { Array($0.readableBytesView) })
        } while !(all.last?.isEmpty ?? true)
        #expect(EventAnswer.hex(pieces.hash) == digest(all.joined().flatMap(\.self)))
        return all.dropLast()
    }

    @Test(
        "among many answers they come one by one and small, and are the same bytes",
        arguments: [EventForm.lines, .rows],
        [0, 1, 2])
    func crowded(form: EventForm, step: Int) async throws {
        try await TestServer.run { server in
            try await server.append(300, bytes: 9_000)
            let roomy = try Self.pieces(server, form, crowdedFrom: nil)
            let crowded = try Self.pieces(server, form, crowdedFrom: step)
            #expect(roomy.first?.count == 4 && roomy.joined().allSatisfy { $0.count <= EventPieces.pieceBytes })
            #expect(crowded.dropFirst(step).allSatisfy { $0.count == 1 && $0[0].count <= 64 << 10 })
            #expect(crowded.joined().flatMap(\.self) == roomy.joined().flatMap(\.self))
        }
    }
}
