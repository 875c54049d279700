import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("POST /wsapi/interaction_data")
struct IntakeTests {
    private static func event(_ number: Int) -> String { #"{"timestamp":1361407200000,"n":\#(number)}"# + "\n" }

    @Test("a batch is stored and its ids are told")
    func stores() async throws {
        try await TestServer.run { server in
            let reply = try await server.post(Self.event(1) + "\r\n" + Self.event(2))
            let first = EventID(store: server.log.store, sequence: .first)
            let last = EventID(store: server.log.store, sequence: Sequence(2))
            #expect(reply.status == 201)
            #expect(reply.fields["content-type"] == "application/json")
            #expect(reply.text == #"{"accepted":2,"discarded":0,"first_id":"\#(first)","last_id":"\#(last)"}"# + "\n")
            #expect(server.log.snapshot().lastSequence == Sequence(2))
            #expect(server.counters.accepted == 2)
        }
    }

    @Test("a body without events is fine and stores nothing", arguments: ["", "\n", "\r\n \n"])
    func empty(body: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.post(body)
            #expect(reply.status == 201)
            #expect(reply.text == #"{"accepted":0,"discarded":0,"first_id":null,"last_id":null}"# + "\n")
        }
    }

    struct BadBody: Sendable, CustomStringConvertible {
        let body: String
        let line: Int
        let offset: Int
        let reason: String
        var description: String { reason }
    }

    @Test(
        "the first bad line refuses the body and is named",
        arguments: [
            BadBody(
                body: "{\"timestamp\":1361407200000}\n\n{\"timestamp\":01}\n", line: 3, offset: 42,
                reason: "invalid_timestamp"),
            BadBody(body: "{\"timestamp\":1361407200000}\r\n[]", line: 2, offset: 29, reason: "not_an_object"),
            BadBody(body: "{}", line: 1, offset: 1, reason: "missing_timestamp"),
            BadBody(body: "{\"timestamp\":1361407200000} x", line: 1, offset: 28, reason: "trailing_bytes"),
            BadBody(
                body: "{\"timestamp\":1361407200000,\"a\":\"\\ud800\"}", line: 1, offset: 32, reason: "lone_surrogate"),
        ])
    func badLine(bad: BadBody) async throws {
        try await TestServer.run { server in
            let reply = try await server.post(bad.body)
            #expect(reply.status == 400)
            #expect(reply.fields["content-type"] == "application/problem+json")
            #expect(
                reply.text.hasPrefix(
                    #"{"type":"about:blank","title":"Bad Request","status":400,"reason":"\#(bad.reason)","#))
            #expect(reply.text.hasSuffix(#","line":\#(bad.line),"offset":\#(bad.offset)}"# + "\n"))
            #expect(server.log.snapshot().lastSequence == Sequence(0))
            #expect(server.counters.refused[bad.reason]?.requests == 1)
        }
    }

    @Test("lines behind the first stretch are counted from the start of the body")
    func badLineFarBehind() async throws {
        try await TestServer.run { server in
            let good = String(repeating: Self.event(1), count: 20_000)
            let reply = try await server.post(good + "\n" + "nonsense\n")
            #expect(reply.text.hasSuffix(#","line":20002,"offset":\#(good.utf8.count + 1)}"# + "\n"))
            #expect(server.counters.refused["not_an_object"]?.events == 20_002)
        }
    }

    @Test(
        "other types are refused",
        arguments: [
            ("application/x-ndjson; charset=utf-8", 201), ("Application/X-NDJSON", 201), ("application/xml", 415),
            ("text/plain", 415), ("", 415),
        ])
    func mediaType(type: String, status: Int) async throws {
        try await TestServer.run { server in
            let reply = try await server.post(Self.event(1), [("content-type", type)])
            #expect(reply.status == status)
        }
    }

    @Test("a body that is announced too large is refused unread, and the connection closed")
    func announcedTooLarge() async throws {
        try await TestServer.run { server in
            let port = server.port
            let reply = try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(
                    "POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n"
                        + "content-length: 16777217\r\nexpect: 100-continue\r\n\r\n")
                let reply = try connection.readReply()
                #expect(try connection.isAtEnd())
                return reply
            }
            #expect(reply.status == 413)
            #expect(reply.fields["connection"] == "close")
        }
    }

    @Test("a chunked body that grows too large is refused")
    func chunkedTooLarge() async throws {
        try await TestServer.run { server in
            let port = server.port
            let reply = try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(
                    "POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n"
                        + "transfer-encoding: chunked\r\n\r\n")
                let megabyte = "100000\r\n" + String(repeating: " ", count: 1 << 20) + "\r\n"
                for _ in 0..<17 { try connection.send(megabyte) }
                return try connection.readReply()
            }
            #expect(reply.status == 413)
        }
    }

    @Test("a body of too many lines is refused")
    func tooManyLines() async throws {
        try await TestServer.run { server in
            let body = String(repeating: #"{"timestamp":1}"# + "\n", count: Bounds.batchLines + 1)
            let reply = try await server.post(body)
            #expect(reply.status == 413)
            #expect(server.counters.refused["too_many_lines"]?.events == Bounds.batchLines + 1)
        }
    }

    @Test("a body that ends early is not stored", arguments: [true, false])
    func truncated(isChunked: Bool) async throws {
        try await TestServer.run { server in
            let port = server.port
            let event = Self.event(1)
            try await Blocking.run {
                let connection = try RawConnection(port)
                let framing = isChunked ? "transfer-encoding: chunked" : "content-length: \(2 * event.utf8.count)"
                try connection.send(
                    "POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n"
                        + "\(framing)\r\n\r\n")
                try connection.send(isChunked ? "\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n" : event)
                connection.finish()
                let status = try? connection.readReply().status
                #expect(status == nil || status == 400)
            }
            #expect(server.log.snapshot().lastSequence == Sequence(0))
        }
    }

    @Test("Expect: 100-continue is answered before the body is sent")
    func expectContinue() async throws {
        try await TestServer.run { server in
            let port = server.port
            let event = Self.event(1)
            try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(
                    "POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n"
                        + "content-length: \(event.utf8.count)\r\nexpect: 100-Continue\r\n\r\n")
                #expect(try connection.readHead().status == 100)
                try connection.send(event)
                #expect(try connection.readReply().status == 201)
            }
        }
    }

    @Test("a full disk is 507, nothing is stored")
    func noSpace() async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            disk.freeBytes = 0
            let reply = try await server.post(Self.event(1))
            #expect(reply.status == 507)
            #expect(reply.fields["retry-after"] == "60")
            #expect(server.log.snapshot().lastSequence == Sequence(0))
            disk.freeBytes = 1 << 30
            #expect(try await server.post(Self.event(1)).status == 201)
        }
    }

    @Test("after a failed write the server is not ready, takes nothing and still reads")
    func poisoned() async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            #expect(try await server.post(Self.event(1)).status == 201)
            #expect(try await server.get("/readyz").status == 200)
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            #expect(try await server.post(Self.event(2)).status >= 500)
            let refused = try await server.post(Self.event(3))
            #expect(refused.status == 503)
            #expect(refused.fields["retry-after"] == "60")
            #expect(try await server.get("/readyz").status == 503)
            #expect(try await server.get("/livez").status == 200)
            #expect(try await server.get("/wsapi/interaction_data").trailer["daybook-count"] == "1")
        }
    }
}
