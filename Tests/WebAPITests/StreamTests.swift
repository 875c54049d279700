import SegmentFormat
import Testing

@testable import WebAPI

@Suite("answers that take their time")
struct StreamTests {
    private static let target = "/wsapi/interaction_data"

    private static func event(_ number: Int) -> String { #"{"timestamp":1361407200000,"n":\#(number)}"# }

    /// Waits without a clock.
    private func until(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    private static func open(_ port: Int, _ target: String, receiveBytes: Int32? = nil) async throws -> RawConnection {
        try await Blocking.run {
            let connection = try RawConnection(port, receiveBytes: receiveBytes)
            try connection.send(TestRequest("GET", target, [("accept", "application/x-ndjson")]).bytes)
            return connection
        }
    }

    @Test("follow tells the past, then what comes, and ends well when the server shuts down")
    func follow() async throws {
        try await TestServer.run { server in
            _ = try await server.post(Self.event(1))
            let connection = try await Self.open(server.port, "\(Self.target)?follow=1")
            #expect(try await Blocking.run { try connection.readHead().status } == 200)
            #expect(try await Blocking.run { try connection.readChunk() } == Array((Self.event(1) + "\n").utf8))
            for number in 2...4 {
                _ = try await server.post(Self.event(number))
                let chunk = try await Blocking.run { try connection.readChunk() }
                #expect(chunk == Array((Self.event(number) + "\n").utf8))
            }
            await server.shutDown()
            let rest = try await Blocking.run {
                var head = Reply()
                head.fields["transfer-encoding"] = "chunked"
                return try connection.readBody(of: head)
            }
            #expect(rest.body.isEmpty)
            #expect(rest.trailer["daybook-count"] == "4")
            #expect(rest.trailer["daybook-complete"] == "true")
            #expect(rest.trailer["daybook-xxh3"] == digest((1...4).flatMap { Array((Self.event($0) + "\n").utf8) }))
        }
    }

    @Test("follow keeps to its range")
    func followRange() async throws {
        try await TestServer.run { server in
            let connection = try await Self.open(server.port, "\(Self.target)?follow=1&start=1361407800000")
            _ = try await Blocking.run { try connection.readHead() }
            await until { server.counters.streaming == 1 }
            _ = try await server.post(Self.event(1))
            let wanted = #"{"timestamp":1361407800000}"#
            _ = try await server.post(wanted)
            #expect(try await Blocking.run { try connection.readChunk() } == Array((wanted + "\n").utf8))
        }
    }

    @Test("a follower that leaves is let go without waiting for an event")
    func followerLeaves() async throws {
        try await TestServer.run { server in
            do {
                let connection = try await Self.open(server.port, "\(Self.target)?follow=1")
                _ = try await Blocking.run { try connection.readHead() }
                await until { server.counters.streaming == 1 }
            }
            await until { server.counters.streaming == 0 }
        }
    }

    @Test("what waits for a slow reader is bounded, and it gets everything")
    func slowReader() async throws {
        try await TestServer.run { server in
            try await server.append(20, bytes: 500_000)
            let connection = try await Self.open(server.port, Self.target, receiveBytes: 32 << 10)
            await until { server.counters.streaming == 1 }
            let reply = try await Blocking.run { try connection.readReply() }
            #expect(reply.trailer["daybook-count"] == "20")
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
            #expect(server.counters.highestUnflushedBytes <= 3 * EventPieces.pieceBytes)
        }
    }

    @Test("a shutdown waits for an answer in flight, to its last byte")
    func shutdownInFlight() async throws {
        try await TestServer.run { server in
            try await server.append(20, bytes: 500_000)
            let connection = try await Self.open(server.port, Self.target, receiveBytes: 32 << 10)
            let head = try await Blocking.run { try connection.readHead() }
            await server.shutDown()
            let refused = try? await Blocking.run { [port = server.port] in try RawConnection(port).readHead() }
            #expect(refused == nil)
            let reply = try await Blocking.run { try connection.readBody(of: head) }
            #expect(reply.trailer["daybook-count"] == "20")
            #expect(reply.trailer["daybook-complete"] == "true")
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
        }
    }

    @Test("a reader that goes away in the middle frees its answer")
    func readerLeaves() async throws {
        try await TestServer.run { server in
            try await server.append(20, bytes: 500_000)
            do {
                let connection = try await Self.open(server.port, Self.target, receiveBytes: 32 << 10)
                _ = try await Blocking.run { try connection.readHead() }
            }
            await until { server.counters.streaming == 0 }
        }
    }

    @Test("a port in use is an error that says so")
    func portInUse() async throws {
        try await TestServer.run { server in
            let second = try Server(
                log: server.log, options: .init(host: "127.0.0.1", port: server.port),
                logger: .init(label: "test"), onListening: { _ in })
            await #expect {
                try await second.run()
            } throws: { error in
                (error as? ListenFailure)?.description
                    == "cannot listen on 127.0.0.1:\(server.port): Address already in use"
            }
        }
    }
}
