import Testing

@testable import WebAPI

/// SPEC L1–L4: every endpoint over HTTPS, by HTTP/1.1 and HTTP/2.
@Suite("HTTPS")
struct SecureServerTests {
    private static let target = "/wsapi/interaction_data"
    private static let line = #"{"timestamp":1361407200000}"#

    @Test("a small POST and a GET get the same answers by both versions", arguments: SecureClient.Version.allCases)
    func postAndGet(version: SecureClient.Version) async throws {
        try await SecureServer.run { secure in
            let posted = try await secure.client(version).ask(.events(Self.line))
            #expect(posted.status == 201 && posted.text.hasPrefix(#"{"accepted":1,"discarded":0,"#))
            #expect(posted.fields["date"] != nil)
            let reply = try await secure.client(version).get(Self.target)
            #expect(reply.lines == [Self.line])
            #expect(reply.trailer["daybook-count"] == "1" && reply.trailer["daybook-complete"] == "true")
        }
    }

    @Test("a POST that does not fit into one read is stored whole", arguments: SecureClient.Version.allCases)
    func largePost(version: SecureClient.Version) async throws {
        try await SecureServer.run { secure in
            let body = String(repeating: Self.line + "\n", count: 20_000)
            let reply = try await secure.client(version).ask(.events(body))
            #expect(reply.status == 201 && reply.text.hasPrefix(#"{"accepted":20000,"#))
        }
    }

    @Test("a long range comes whole, with its hash", arguments: SecureClient.Version.allCases)
    func longRange(version: SecureClient.Version) async throws {
        try await SecureServer.run { secure in
            try await secure.server.append(40, bytes: 400_000)
            let reply = try await secure.client(version).get(Self.target)
            #expect(reply.body.count > 16_000_000 && reply.trailer["daybook-count"] == "40")
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
        }
    }

    @Test("HEAD has the fields and no body", arguments: SecureClient.Version.allCases)
    func head(version: SecureClient.Version) async throws {
        try await SecureServer.run { secure in
            for target in [Self.target, "/wsapi/ping"] {
                let reply = try await secure.client(version).ask(TestRequest("HEAD", target))
                #expect(reply.status == 200 && reply.body.isEmpty && reply.fields["content-type"] != nil)
            }
        }
    }

    @Test("a body that is refused unread is answered, whatever is left of it", arguments: SecureClient.Version.allCases)
    func refusedUnread(version: SecureClient.Version) async throws {
        try await SecureServer.run { secure in
            let request = TestRequest.events("x", [("content-length", String(17 << 20))])
            let reply = try await secure.client(version).ask(request, ends: false)
            #expect(reply.status == 413 && reply.text.contains(#""reason":"body_too_large""#))
            #expect(reply.fields["connection"] == (version == .http1 ? "close" : nil))
        }
    }

    @Test("the end of a refused stream is no error of the connection: the others go on")
    func refusedStreamAlone() async throws {
        try await SecureServer.run { secure in
            let client = try await secure.client()
            for _ in 0..<3 {
                let request = TestRequest.events("x", [("content-length", String(17 << 20))])
                #expect(try await client.ask(request, ends: false).status == 413)
                #expect(try await client.get("/wsapi/ping").text == "pong")
            }
        }
    }

    @Test("streams of one connection are answered beside each other")
    func concurrentStreams() async throws {
        try await SecureServer.run { secure in
            let client = try await secure.client()
            let first = try await client.ask(TestRequest("GET", "\(Self.target)/stream")) { changes in
                guard case .head(let head) = try await changes.next() else { throw ConnectionEnded() }
                let posted = try await client.ask(.events(Self.line))
                guard case .body(let change) = try await changes.next() else { throw ConnectionEnded() }
                return (head.status.code, posted.status, String(buffer: change))
            }
            #expect(first.0 == 200 && first.1 == 201 && first.2.contains(#""seq":1"#))
        }
    }

    @Test("a client that does not read its stream has a bounded amount waiting, and gets it all when it does")
    func slowReader() async throws {
        try await SecureServer.run { secure in
            try await secure.server.append(40, bytes: 400_000)
            let client = try await secure.client()
            let request = TestRequest("GET", Self.target, [("accept", "application/x-ndjson")])
            let reply = try await client.ask(request) { parts in
                // Others are served meanwhile.
                for _ in 0..<50 { _ = try await client.get("/wsapi/ping") }
                return try await Reply(&parts)
            }
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
            #expect(secure.server.counters.highestUnflushedBytes <= 3 * EventPieces.pieceBytes)
        }
    }

    @Test("a client that leaves its stream is noticed, whatever its connection does")
    func streamDeparture() async throws {
        try await SecureServer.run { secure in
            let client = try await secure.client()
            let status = try await client.ask(TestRequest("GET", "\(Self.target)/stream")) { changes in
                guard case .head(let head) = try await changes.next() else { throw ConnectionEnded() }
                return head.status.code
            }
            #expect(status == 200)
            while secure.server.counters.streaming > 0 { await Task.yield() }
            #expect(try await client.get("/wsapi/ping").text == "pong")
        }
    }

    @Test("a shutdown ends idle connections, those in the handshake, and followers, these with their trailer")
    func shutdown() async throws {
        try await SecureServer.run { secure in
            let idle = try await secure.client()
            _ = try await idle.get("/wsapi/ping")
            let silent = try RawConnection(secure.server.port)
            let trailer = try await secure.client().ask(TestRequest("GET", "\(Self.target)/stream")) { changes in
                _ = try await changes.next()
                await secure.server.shutDown()
                while let part = try await changes.next() {
                    if case .end(let trailer) = part { return trailer }
                }
                throw ConnectionEnded()
            }
            #expect(trailer?[.daybookComplete] == "true")
            try await idle.connection.closeFuture.get()
            #expect(try await Blocking.run { try silent.isAtEnd() })
        }
    }

    @Test("TLS 1.2 and 1.3 are spoken, 1.1 is refused and counted")
    func versions() async throws {
        try await SecureServer.run { secure in
            for version in 2...3 {
                let client = try await secure.client(tls: version...version)
                #expect(try await client.get("/wsapi/ping").text == "pong")
            }
            await #expect(throws: (any Error).self) { try await secure.client(tls: 1...1) }
            #expect(secure.server.counters.refused["handshake_failed"]?.requests == 1)
        }
    }

    @Test("what is no TLS is refused and counted")
    func plainText() async throws {
        try await SecureServer.run { secure in
            let connection = try RawConnection(secure.server.port)
            try connection.send("GET /wsapi/ping HTTP/1.1\r\nhost: test\r\n\r\n")
            while secure.server.counters.refused["handshake_failed"] == nil { await Task.yield() }
        }
    }
}
