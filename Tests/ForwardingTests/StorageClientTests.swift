import LogEngine
import NIOCore
import SegmentFormat
import TestSupport
import Testing

@testable import Forwarding

/// SPEC Z9.
@Suite("What storage servers answer")
struct StorageClientTests {
    private static func with<Result>(_ body: (StorageClient) async throws -> Result) async throws -> Result {
        var options = StorageOptions()
        options.coding = .plain
        options.answerLimit = .seconds(3_600)
        let client = StorageClient(options)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        try await client.shutdown()
        return try result.get()
    }

    @Test("a client's mistakes say that nothing was stored, of the batch or of the server; nothing else does")
    func meanings() async throws {
        try await Self.with { client in
            for status: UInt in 100...599 {
                let answer = client.meaning(of: status, ByteBuffer(), nil)
                let reason = "it answers \(status)"
                switch status {
                case 201: #expect(answer == .stored(nil))
                case 400, 411, 413, 415, 422: #expect(answer == .refused(.init(.batch, reason)))
                case 400...499, 507: #expect(answer == .refused(.init(.server, reason)))
                default: #expect(answer == .unknown(reason: reason))
                }
            }
            let busy = client.meaning(of: 503, ByteBuffer(string: #"{"reason":"busy","detail":"soon"}"#), "7")
            let refusal = ShipmentAnswer.Refusal(.server, "it answers 503: soon", retryAfterMilliseconds: 7_000)
            #expect(busy == .refused(refusal))
        }
    }

    @Test("nobody is followed elsewhere: where a batch goes is on record")
    func redirection() async throws {
        let answer = try await Self.with { client in
            let server = try CannedServer(
                answering: "HTTP/1.1 303 See Other\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            let stretch = Stretch(
                first: Sequence(1), last: Sequence(1), events: 1, bytes: 3, digest: Hash128(low: 0, high: 0))
            let binding = Binding(server: ServerName(server.url), epoch: 1, number: 1)
            return await client.send(Shipment(stretch: stretch, binding: binding), Array("{}\n".utf8), from: "a")
        }
        #expect(answer == .unknown(reason: "it answers 303"))
    }
}
