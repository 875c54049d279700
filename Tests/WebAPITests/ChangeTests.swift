import Testing

@testable import WebAPI

@Suite("the stream of changes")
struct ChangeTests {
    private static let target = "/wsapi/interaction_data/stream"

    private static func event(_ number: Int) -> String { #"{"timestamp":1361407200000,"n":\#(number)}"# }

    /// What `/stream` says of an event that was stored under a sequence.
    private static func change(_ number: Int, _ reply: Reply, rows: [String]) throws -> String {
        let row = try #require(rows.first { $0.contains(#""n":\#(number),"#) })
        let id = row.dropFirst(#"{"id":""#.count).prefix(32)
        let sequence = try #require(UInt64(id.suffix(16), radix: 16))
        let revision = try #require(row.split(separator: #""_rev":""#).last).prefix(18)
        return #"{"seq":\#(sequence),"id":"\#(id)","changes":[{"rev":"\#(revision)"}],"doc":\#(event(number))}"#
            + "\r\n"
    }

    private func rows(_ server: TestServer) async throws -> [String] {
        try await server.get("/wsapi/interaction_data?order=arrival").lines.map { $0.trimmingPrefix("[").description }
    }

    private func open(_ server: TestServer, _ query: String = "") async throws -> RawConnection {
        let port = server.port
        let connection = try await Blocking.run {
            let connection = try RawConnection(port)
            try connection.send(TestRequest("GET", Self.target + query).bytes)
            #expect(try connection.readHead().status == 200)
            return connection
        }
        return connection
    }

    @Test("without since it tells what comes, each change with CR LF, and ends well")
    func changes() async throws {
        try await TestServer.run { server in
            _ = try await server.post(Self.event(1))
            let connection = try await open(server)
            while server.counters.streaming < 1 { await Task.yield() }
            for number in 2...3 {
                let reply = try await server.post(Self.event(number))
                let change = try Self.change(number, reply, rows: await rows(server))
                let chunk = try await Blocking.run { try connection.readChunk() }
                #expect(String(decoding: chunk, as: UTF8.self) == change)
            }
            await server.shutDown()
            let end = try await Blocking.run { try connection.readChunk() }
            #expect(end.isEmpty)
        }
    }

    @Test("since is exclusive, 0 is everything, and what is ahead of the store waits", arguments: [0, 1, 2, 3, 9])
    func since(since: Int) async throws {
        try await TestServer.run { server in
            var reply = Reply()
            for number in 1...3 { reply = try await server.post(Self.event(number)) }
            let connection = try await open(server, "?since=\(since)")
            let rows = try await rows(server)
            let expected = try (1...3).filter { $0 > since }.map { try Self.change($0, reply, rows: rows) }.joined()
            if !expected.isEmpty {
                let chunk = try await Blocking.run { try connection.readChunk() }
                #expect(String(decoding: chunk, as: UTF8.self) == expected)
            }
            await server.shutDown()
            let end = try await Blocking.run { try connection.readChunk() }
            #expect(end.isEmpty)
        }
    }

    @Test("where nothing comes, an empty line does")
    func heartbeat() async throws {
        try await TestServer.run(heartbeat: .milliseconds(5)) { server in
            let connection = try await open(server)
            for _ in 0..<3 {
                #expect(try await Blocking.run { try connection.readChunk() } == Array("\r\n".utf8))
            }
            _ = try await server.post(Self.event(1))
            var chunk: [UInt8]
            repeat { chunk = try await Blocking.run { try connection.readChunk() } } while chunk.count == 2
            #expect(chunk.starts(with: Array(#"{"seq":1,"#.utf8)))
        }
    }

    @Test("a bad since is refused", arguments: ["", "-1", "x", "1.5", "9223372036854775807", "1&since=2"])
    func badSince(since: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.get("\(Self.target)?since=\(since)")
            #expect(reply.status == 400 && reply.text.contains(#""parameter":"since""#))
        }
    }
}
