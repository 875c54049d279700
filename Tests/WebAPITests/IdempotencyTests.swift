import SegmentFormat
import Testing

@testable import WebAPI

@Suite("Idempotency-Key")
struct IdempotencyTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"

    @Test("a repeat gets its first answer byte for byte and is not stored again")
    func repeats() async throws {
        try await TestServer.run { server in
            let first = try await server.post(Self.event, [("idempotency-key", "batch 7")])
            _ = try await server.post(Self.event)
            let again = try await server.post(Self.event, [("idempotency-key", "batch 7")])
            #expect(first.status == 201)
            #expect(again.status == 201)
            #expect(again.body == first.body)
            #expect(server.log.snapshot().lastSequence == Sequence(2))
            #expect(server.counters.repeats == 1)
        }
    }

    @Test("the same key with another body is 422")
    func conflicts() async throws {
        try await TestServer.run { server in
            _ = try await server.post(Self.event, [("idempotency-key", "k")])
            let other = try await server.post(Self.event + Self.event, [("idempotency-key", "k")])
            #expect(other.status == 422)
            #expect(server.log.snapshot().lastSequence == Sequence(1))
        }
    }

    @Test(
        "a key is 1 to 255 printable characters",
        arguments: [
            ("", 400), ("a", 201), (String(repeating: "k", count: 255), 201), (String(repeating: "k", count: 256), 400),
            ("caf\u{E9}", 400),
        ])
    func keys(key: String, status: Int) async throws {
        try await TestServer.run { server in
            let reply = try await server.post(Self.event, [("idempotency-key", key)])
            #expect(reply.status == status)
        }
    }

    @Test("two keys are refused")
    func twoKeys() async throws {
        try await TestServer.run { server in
            let reply = try await server.post(Self.event, [("idempotency-key", "a"), ("idempotency-key", "b")])
            #expect(reply.status == 400)
        }
    }
}
