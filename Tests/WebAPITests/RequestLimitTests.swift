import LogEngine
import NIOCore
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("limits of requests")
struct RequestLimitTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"
    private static let operatorPaths = ["/livez", "/readyz", "/version", "/metrics"]

    private static func expect(_ reply: Reply, _ reason: String, retryAfter: String) {
        #expect(reply.status == 429)
        #expect(reply.fields["content-type"] == "application/problem+json")
        #expect(reply.fields["retry-after"] == retryAfter)
        #expect(reply.text.contains(#""reason":"\#(reason)""#))
    }

    @Test("as many requests as may be are answered at once; those for who runs the server always are")
    func inFlight() async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data", serving: .loopback(requests: .init(inFlight: 2))) { server in
            disk.hold()
            let text = "data=[\(Self.event)]"
            async let small = server.post(Self.event)
            async let form = server.post(text, [("content-type", "application/x-www-form-urlencoded")])
            await disk.untilHeld()
            while server.log.health.bytesInFlight < Self.event.utf8.count + text.utf8.count { await Task.yield() }
            Self.expect(try await server.post(Self.event), "too_many_in_flight", retryAfter: "1")
            Self.expect(try await server.get("/wsapi/ping"), "too_many_in_flight", retryAfter: "1")
            for path in Self.operatorPaths { #expect(try await server.get(path).status == 200, "\(path)") }
            #expect(server.counters.refused["too_many_in_flight"] == .init(requests: 2, events: 0))
            disk.release()
            #expect(try await small.status == 201)
            #expect(try await form.status == 201)
            for _ in 0..<3 {
                #expect(try await server.post(Self.event).status == 201)
                #expect(try await server.post("x").status == 400)
                #expect(try await server.post("").status == 201)
                #expect(try await server.get("/wsapi/ping").text == "pong")
                #expect(try await server.get("/nothing").status == 404)
            }
        }
    }

    @Test("a client that asks too much waits as long as it is told")
    func rate() async throws {
        let rate = RequestLimits.ClientRate(perSecond: 1, burst: 2)
        try await TestServer.run(serving: .loopback(requests: .init(rate: rate))) { server in
            #expect(try await server.get("/wsapi/ping").status == 200)
            #expect(try await server.post(Self.event).status == 201)
            server.clock.advance(by: 300)
            Self.expect(try await server.get("/wsapi/ping"), "too_many_requests", retryAfter: "1")
            Self.expect(try await server.post(Self.event), "too_many_requests", retryAfter: "1")
            for path in Self.operatorPaths { #expect(try await server.get(path).status == 200, "\(path)") }
            #expect(server.counters.refused["too_many_requests"] == .init(requests: 2, events: 0))
            server.clock.advance(by: 700)
            #expect(try await server.post(Self.event).status == 201)
            #expect(try await server.post(Self.event).status == 429)
        }
    }

    @Test("a body has as many bytes as it may, on every way in")
    func bodyBytes() async throws {
        try await TestServer.run(serving: .loopback(requests: .init(bodyBytes: 1_024))) { server in
            let pad = String(repeating: "x", count: 1_024 - #"{"timestamp":1361407200000,"p":""}"#.utf8.count - 1)
            let fitting = #"{"timestamp":1361407200000,"p":"\#(pad)"}"# + "\n"
            #expect(fitting.utf8.count == 1_024)
            #expect(try await server.post(fitting).status == 201)
            let chunked = try await server.ask(Self.chunked(fitting))
            #expect(chunked.status == 201)
            for request in [TestRequest.events(fitting + "\n"), Self.chunked(fitting + "\n")] {
                let reply = try await server.ask(request)
                #expect(reply.status == 413 && reply.text.contains("at most 1024 bytes"))
            }
            #expect(server.counters.refused["body_too_large"]?.requests == 2)
        }
    }

    private static func chunked(_ body: String) -> TestRequest {
        var request = TestRequest.events("", [("transfer-encoding", "chunked")])
        request.body = nil
        request.chunks = body
        return request
    }

    @Test("a scan that takes too long ends, and says why")
    func scanDuration() async throws {
        try await TestServer.run(serving: .loopback(requests: .init(scanDuration: .seconds(1)))) { server in
            // More than sockets hold.
            try await server.append(100, bytes: 1_000_000)
            let (port, clock) = (server.port, server.clock)
            let cut = try await Blocking.run {
                let connection = try RawConnection(port, receiveBytes: 4_096)
                let fields = [("accept", "application/x-ndjson")]
                try connection.send(TestRequest("GET", "/wsapi/interaction_data?end=line", fields).bytes)
                let head = try connection.readHead()
                let first = try connection.readChunk()
                clock.advance(by: 1_000)
                var reply = try connection.readBody(of: head)
                reply.body = first + reply.body
                return reply
            }
            let count = try #require(cut.trailer["daybook-count"].flatMap { Int($0) })
            #expect(count > 0 && count < 100)
            #expect(cut.trailer["daybook-complete"] == "false")
            #expect(cut.trailer["daybook-reason"] == "scan_too_long")
            #expect(cut.trailer["daybook-cursor"] != nil)
            #expect(cut.lines.count == count + 1)
            #expect(cut.lines.last?.hasSuffix(#","complete":false,"reason":"scan_too_long"}}"#) == true)
            #expect(server.counters.refused == ["scan_too_long": .init(requests: 1, events: 0)])
        }
    }

    @Test("an answer that follows may take as long as it likes")
    func followers() async throws {
        try await TestServer.run(serving: .loopback(requests: .init(scanDuration: .seconds(1)))) { server in
            _ = try await server.post(Self.event)
            let port = server.port
            let connection = try await Blocking.run {
                let connection = try RawConnection(port)
                let fields = [("accept", "application/x-ndjson")]
                try connection.send(TestRequest("GET", "/wsapi/interaction_data?follow=1", fields).bytes)
                _ = try connection.readHead()
                _ = try connection.readChunk()
                return connection
            }
            server.clock.advance(by: 3_600_000)
            _ = try await server.post(Self.event)
            #expect(try await Blocking.run { try connection.readChunk() } == Array(Self.event.utf8))
            await server.shutDown()
            let rest = try await Blocking.run {
                var head = Reply()
                head.fields["transfer-encoding"] = "chunked"
                return try connection.readBody(of: head)
            }
            #expect(rest.trailer["daybook-complete"] == "true" && rest.trailer["daybook-reason"] == nil)
        }
    }

    @Test("limits out of their bounds are a bug")
    func bounds() async {
        #expect(RequestLimits().isWithinBounds)
        #expect(!RequestLimits(bodyBytes: Bounds.batchBytes + 1).isWithinBounds)
        #expect(!RequestLimits(scanDuration: .milliseconds(999)).isWithinBounds)
        #expect(!RequestLimits(rate: .init(perSecond: 0, burst: 1)).isWithinBounds)
        await #expect(processExitsWith: .failure) { _ = RequestGate(RequestLimits(inFlight: 0), uptime: { 0 }) }
    }
}
