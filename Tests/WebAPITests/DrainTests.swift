import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("the end of a server (K4)")
struct DrainTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"

    /// A server that has been told to end while it streams an answer of 100 MB, and the rest of that.
    private static func stopping(
        _ body: (TestServer, _ rest: @escaping @Sendable () throws -> Reply) async throws -> Void
    ) async throws {
        try await TestServer.run { server in
            // More than sockets hold.
            try await server.append(100, bytes: 1_000_000)
            let port = server.port
            let (connection, head, first) = try await Blocking.run {
                let connection = try RawConnection(port, receiveBytes: 4_096)
                let fields = [("accept", "application/x-ndjson")]
                try connection.send(TestRequest("GET", "/wsapi/interaction_data", fields).bytes)
                return (connection, try connection.readHead(), try connection.readChunk())
            }
            await server.shutDown()
            while !server.drain.isStopping { await Task.yield() }
            try await body(server) {
                var reply = try connection.readBody(of: head)
                reply.body = first + reply.body
                return reply
            }
        }
    }

    @Test("nothing begins any more, which readyz and 503 say, and what is in flight comes to its end")
    func finishes() async throws {
        try await Self.stopping { server, rest in
            let ready = try await server.get("/readyz")
            #expect(ready.status == 503 && ready.text.contains(#""reasons":["stopping"]"#))
            #expect(try await server.get("/livez").text == "ok")
            for reply in [
                try await server.post(Self.event), try await server.post(String(repeating: Self.event, count: 2_000)),
                try await server.get("/wsapi/interaction_data/count"),
            ] {
                #expect(reply.status == 503 && reply.text.contains(#""reason":"stopping""#))
                #expect(reply.fields["retry-after"] == "1" && reply.fields["connection"] == "close")
                #expect(reply.fields["x-request-id"]?.count == 16)
            }
            #expect(server.counters.refused == ["stopping": .init(requests: 3, events: 0)])
            #expect(server.counters.accepted == 0)
            let reply = try await Blocking.run { try rest() }
            #expect(reply.lines.count == 100 && reply.trailer["daybook-complete"] == "true")
        }
    }

    @Test("after 20 s an answer ends behind a whole line, and says why")
    func cuts() async throws {
        try await Self.stopping { server, rest in
            server.clock.advance(by: 20_000)
            let reply = try await Blocking.run { try rest() }
            let count = try #require(reply.trailer["daybook-count"].flatMap { Int($0) })
            #expect(count > 0 && count < 100 && reply.lines.count == count)
            #expect(reply.trailer["daybook-complete"] == "false" && reply.trailer["daybook-reason"] == "stopping")
            #expect(reply.trailer["daybook-cursor"] != nil)
        }
    }

    @Test("it is over when the last that was in flight has left, whoever else asks meanwhile")
    func count() async throws {
        let drain = Drain()
        try drain.enter()
        try drain.enter()
        drain.begin(now: 5)
        #expect(throws: Problem.self) { try drain.enter() }
        drain.leave()
        async let finished: Void = drain.finish()
        async let also: Void = drain.finish()
        #expect(throws: Problem.self) { try drain.enter() }
        drain.leave()
        _ = await (finished, also)
        await drain.finish()
        #expect(!drain.cuts(at: 20_000_000_004) && drain.cuts(at: 20_000_000_005))
    }
}
