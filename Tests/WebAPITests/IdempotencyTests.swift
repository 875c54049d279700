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

@Suite("Daybook-Delivery")
struct ForwarderDeliveryTests {
    private static let epoch = "00000000000000a1"

    private static func event(_ number: Int) -> String { #"{"timestamp":1361407200000,"n":\#(number)}"# + "\n" }

    @Test("of each source and epoch the highest number is known with its answer, and lower ones as repeats")
    func numbers() async throws {
        try await TestServer.run { server in
            func post(_ name: String, _ number: Int) async throws -> Reply {
                try await server.post(Self.event(number), [("daybook-delivery", name)])
            }
            let first = try await post("web-1/\(Self.epoch)/5", 1)
            #expect(first.status == 201)
            #expect(try await post("web-1/\(Self.epoch)/5", 1).body == first.body)
            #expect(try await post("web-1/\(Self.epoch)/4", 2).text.hasPrefix(#"{"accepted":0,"#))
            #expect(server.log.snapshot().lastSequence == Sequence(1))
            for name in ["web-1/\(Self.epoch)/6", "web-2/\(Self.epoch)/1", "web-1/00000000000000a2/1"] {
                #expect(try await post(name, 3).text.hasPrefix(#"{"accepted":1,"#))
            }
            #expect(server.counters.repeats == 2)
        }
    }

    @Test(
        "a name is source, epoch and number",
        arguments: [
            "", "web-1", "web-1/a1/5", "/00000000000000a1/5", "web 1/00000000000000a1/5", "web-1/00000000000000g1/5",
            "web-1/00000000000000a1/0", "web-1/00000000000000a1/-1", "web-1/00000000000000a1/+1",
            "web-1/+0000000000000a1/5", "web-1/-000000000000000/5", "web-1/00000000000000a1/9223372036854775808",
            "web-1/00000000000000a1/5/6",
        ])
    func badNames(name: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.post(Self.event(1), [("daybook-delivery", name)])
            #expect(reply.status == 400)
            #expect(reply.text.contains(#""reason":"bad_delivery""#))
        }
    }

    @Test("a batch has one name")
    func twoNames() async throws {
        try await TestServer.run { server in
            let name = ("daybook-delivery", "web-1/\(Self.epoch)/5")
            for other in [("idempotency-key", "k"), name] {
                let reply = try await server.post(Self.event(1), [name, other])
                #expect(reply.status == 400)
            }
            #expect(server.log.snapshot().lastSequence == Sequence(0))
        }
    }
}
