import LogEngine
import Synchronization
import TestSupport
import Testing

@testable import WebAPI

@Suite("access over HTTP (AC2, AC7–AC9)")
struct AccessServerTests {
    private static let path = "/wsapi/interaction_data"
    private static let event = #"{"timestamp":1361407200000}"# + "\n"
    /// Too long for the short way of small posts.
    private static let large = String(repeating: event, count: 4_000)

    private static func token(_ name: String, _ id: String, _ scopes: Set<TokenScope>) -> Token {
        Token(id: id, name: name, hash: TokenHash(ofToken: name), scopes: scopes)
    }

    private static let tokens = [
        token("reader", "00000001", [.read]), token("browser", "00000002", [.ingest]),
        token("operator", "00000003", [.admin]),
    ]

    private static func authorization(_ token: String) -> [(String, String)] { [("authorization", "Bearer \(token)")] }

    private static func withTokens(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.run(
            configured: { options, _, _ in
                options.access.tokens = TokenBook(configured: tokens)
            }, body)
    }

    private static func expectRefusal(_ reply: Reply, _ status: Int, _ reason: String, _ challenge: String?) {
        #expect(reply.status == status)
        #expect(reply.fields["content-type"] == "application/problem+json")
        #expect(reply.text.contains(#""reason":"\#(reason)""#), "\(reply.text)")
        #expect(reply.fields["www-authenticate"] == challenge)
        #expect(reply.fields["date"] != nil)
    }

    private static let challenge = #"Bearer realm="daybook""#

    @Test("a token opens what its scopes name", arguments: [event, large])
    func scopes(body: String) async throws {
        try await Self.withTokens { server in
            #expect(try await server.post(body, Self.authorization("browser")).status == 201)
            Self.expectRefusal(
                try await server.post(body, Self.authorization("reader")), 403, "missing_scope",
                Self.challenge + #", error="insufficient_scope", scope="ingest""#)
            Self.expectRefusal(try await server.post(body), 401, "no_token", Self.challenge)
            Self.expectRefusal(
                try await server.post(body, Self.authorization("nobody")), 401, "unknown_token",
                Self.challenge + #", error="invalid_token""#)
            let count = try await server.ask(TestRequest("GET", "\(Self.path)/count", Self.authorization("reader")))
            #expect(count.status == 200 && count.text == String(body.split(separator: "\n").count))
            #expect(server.counters.refused["no_token"] == .init(requests: 1, events: 0))
            #expect(server.counters.refused["missing_scope"] == .init(requests: 1, events: 0))
        }
    }

    @Test("every path that gives events wants read, whether its health is well anybody may ask")
    func paths() async throws {
        try await Self.withTokens { server in
            for target in ["", "?id=x", "/count", "/last", "/stream", "/"].map({ Self.path + $0 }) {
                Self.expectRefusal(try await server.get(target), 401, "no_token", Self.challenge)
                let reply = try await server.ask(TestRequest("GET", target, Self.authorization("operator")))
                Self.expectRefusal(
                    reply, 403, "missing_scope", Self.challenge + #", error="insufficient_scope", scope="read""#)
                let head = try await server.ask(TestRequest("HEAD", target))
                #expect(head.status == 401 && head.fields["www-authenticate"] == Self.challenge)
            }
            for target in ["/livez", "/readyz", "/wsapi/ping", "/wsapi//ping/", "/%6civez"] {
                #expect(try await server.get(target).status == 200, "\(target)")
            }
            for target in ["/openapi.json", "/nothing", "/wsapi/nothing/../ping2"] {
                #expect(try await server.get(target).status == 401, "\(target)")
            }
            #expect(try await server.ask(TestRequest("OPTIONS", Self.path)).status == 401)
            let operatorOnly = Self.authorization("operator")
            #expect(try await server.ask(TestRequest("GET", "/openapi.json", operatorOnly)).status == 200)
            #expect(try await server.ask(TestRequest("GET", "/nothing", operatorOnly)).status == 404)
            #expect(try await server.ask(TestRequest("DELETE", Self.path, operatorOnly)).status == 405)
        }
    }

    @Test(
        "what is no bearer token",
        arguments: [
            ("Basic cmVhZGVyOng=", "no_token"), ("Bearer", "unknown_token"), ("Bearer ", "unknown_token"),
            ("Bearer reader x", "unknown_token"), ("Bearer reade", "unknown_token"),
            ("Bearer readerr", "unknown_token"),
            ("Bearer READER", "unknown_token"), ("reader", "no_token"),
            ("Bearer " + String(repeating: "x", count: 257), "unknown_token"),
        ])
    func noToken(value: String, reason: String) async throws {
        try await Self.withTokens { server in
            let reply = try await server.ask(TestRequest("GET", Self.path, [("authorization", value)]))
            #expect(reply.status == 401 && reply.text.contains(#""reason":"\#(reason)""#))
        }
    }

    @Test("the name of the scheme has no case, and two tokens are none")
    func schemes() async throws {
        try await Self.withTokens { server in
            for value in ["bearer reader", "BEARER reader", "Bearer  reader"] {
                let reply = try await server.ask(TestRequest("GET", Self.path, [("authorization", value)]))
                #expect(reply.status == 200, "\(value)")
            }
            let twice = Self.authorization("reader") + Self.authorization("reader")
            #expect(try await server.ask(TestRequest("GET", Self.path, twice)).status == 401)
        }
    }

    @Test("of what is refused the body is not read, and the connection ends", arguments: [event, large])
    func body(body: String) async throws {
        try await Self.withTokens { server in
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                // Announced, and never sent.
                try connection.send(
                    "POST \(Self.path) HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
                        + "content-length: \(body.utf8.count)\r\n\r\n")
                let reply = try connection.readReply()
                #expect(reply.status == 401 && reply.fields["connection"] == "close")
                #expect(try connection.isAtEnd())
            }
            #expect(server.log.snapshot().lastSequence.value == 0)
        }
    }

    @Test("Expect: 100-continue is answered with the refusal")
    func expectation() async throws {
        try await Self.withTokens { server in
            let fields = [
                ("expect", "100-continue"), ("content-type", "application/x-ndjson"), ("content-length", "28"),
            ]
            let reply = try await server.ask(TestRequest("POST", Self.path, fields))
            #expect(reply.status == 401)
        }
    }

    @Test("refused and let in on one connection, in their order")
    func pipelined() async throws {
        try await Self.withTokens { server in
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(
                    TestRequest("GET", "\(Self.path)/count").bytes
                        + TestRequest.events(Self.event, Self.authorization("browser")).bytes
                        + TestRequest("GET", "\(Self.path)/count", Self.authorization("reader")).bytes
                        + TestRequest.events(Self.event).bytes)
                #expect(try connection.readReply().status == 401)
                #expect(try connection.readReply().status == 201)
                #expect(try connection.readReply().text == "1")
                #expect(try connection.readReply().status == 401)
            }
        }
    }

    @Test("spellings of a path lead to it, and its next page is named as it should be")
    func spellings() async throws {
        try await TestServer.run { server in
            for _ in 0..<3 { #expect(try await server.post(Self.event).status == 201) }
            for target in [
                "//wsapi/interaction_data", "/wsapi/./interaction_data/", "/x/../wsapi/%69nteraction_data",
                "/wsapi/interaction_data/count/..",
            ] {
                let reply = try await server.get("\(target)?limit=1", accept: "application/x-ndjson")
                #expect(reply.status == 200 && reply.lines.count == 1, "\(target)")
                #expect(reply.next?.hasPrefix("/wsapi/interaction_data?limit=1&cursor=") == true, "\(reply.fields)")
            }
            let posted = TestRequest(
                "POST", "//wsapi/interaction_data/", [("content-type", "application/x-ndjson")], body: Self.event)
            #expect(try await server.ask(posted).status == 201)
        }
    }

    @Test(
        "a path that cannot be read safely is refused",
        arguments: [
            "/wsapi%2finteraction_data", "/wsapi/%00", "/wsapi/%zz", "/wsapi/..;/x", "/..", "*", "/wsapi\\ping",
            "/%C3%A9", "/" + String(repeating: "x", count: 1_100),
        ])
    func badPaths(target: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.get(target)
            #expect(reply.status == 400 && reply.text.contains(#""reason":"bad_path""#), "\(reply.text)")
            #expect(server.counters.refused["bad_path"] == .init(requests: 1, events: 0))
        }
    }

    // MARK: - Forwarders

    private static func withForwarder(
        from block: String, _ body: (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(
            configured: { options, _, _ in
                options.access.rules = try AccessRules([
                    AccessEntry(path: "/wsapi/interaction_data(/count)?", commonName: "alice")
                ])
                options.access.forwarders = TrustedForwarders(
                    header: "X-Remote-User", blocks: [try #require(AddressBlock(block))])
            }, body)
    }

    @Test("a trusted forwarder names the user whom the acl knows", arguments: [event, large])
    func forwarded(body: String) async throws {
        try await Self.withForwarder(from: "127.0.0.0/8") { server in
            let alice = [("x-remote-user", "alice")]
            #expect(try await server.post(body, alice).status == 201)
            #expect(try await server.ask(TestRequest("GET", "\(Self.path)/count", alice)).status == 200)
            Self.expectRefusal(
                try await server.ask(TestRequest("GET", "\(Self.path)/last", alice)), 403, "not_allowed", nil)
            Self.expectRefusal(try await server.post(body, [("x-remote-user", "mallory")]), 403, "not_allowed", nil)
            Self.expectRefusal(try await server.post(body), 403, "not_allowed", nil)
            Self.expectRefusal(try await server.post(body, alice + alice), 400, "bad_identity", nil)
            #expect(server.counters.untrustedIdentities == 0)
        }
    }

    @Test("what others send in the forwarder's header is ignored and counted", arguments: [event, large])
    func forged(body: String) async throws {
        try await Self.withForwarder(from: "10.0.0.0/8") { server in
            let alice = [("x-remote-user", "alice")]
            Self.expectRefusal(try await server.post(body, alice), 403, "not_allowed", nil)
            Self.expectRefusal(
                try await server.ask(TestRequest("GET", Self.path, alice)), 403, "not_allowed", nil)
            #expect(server.counters.untrustedIdentities == 2)
        }
    }

    // MARK: - Tokens of the data directory

    @Test("a running server takes over what becomes of the file of tokens, and keeps what it had if that is damaged")
    func watch() async throws {
        let disk = VirtualDisk()
        try disk.makeDirectory("/data")
        let file = TokenFile(data: "/data", disk: disk)
        let book = TokenBook()
        let watch = try TokenWatch(file, book) { _ in }
        #expect(await watch.look() == nil && !book.isInForce)
        try file.update { try $0.add(Self.tokens[0]) }
        #expect(await watch.look() == nil)
        #expect(book.token(of: Self.tokens[0].hash) == Self.tokens[0])
        let whole = try #require(disk.contents("/data/TOKENS"))
        disk.replace("/data/TOKENS", Array(whole.dropLast(3)))
        #expect(await watch.look()?.contains("/data/TOKENS: line 2") == true)
        #expect(throws: TokenFile.Damage.self) { try TokenWatch(file, TokenBook()) { _ in } }
        try disk.remove("/data/TOKENS")
        #expect(await watch.look()?.contains("is gone") == true)
        // At the end of a server that is nobody's trouble.
        let ended = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await watch.look()
        }
        let said = await ended.value
        #expect(said == nil)
        #expect(book.token(of: Self.tokens[0].hash) == Self.tokens[0])
        disk.replace("/data/TOKENS", whole)
        _ = try file.update { $0.remove("reader") }
        #expect(await watch.look() == nil)
        #expect(book.isEmpty && book.isInForce)
    }

    @Test("a token is 256 random bits, and nothing but its hash is kept of it")
    func secrets() throws {
        let (one, other) = (TokenSecret.random(), TokenSecret.random())
        #expect(one.text != other.text && one.text.hasPrefix("dbk_") && one.text.utf8.count == 68)
        #expect(
            TokenHash(ofToken: "abc").hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(one.hash == TokenHash(ofToken: one.text) && one.hash != other.hash)
    }
}
