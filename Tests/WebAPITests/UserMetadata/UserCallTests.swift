import LogEngine
import TestSupport
import Testing

@testable import WebAPI

@Suite("calls of user metadata (UM15–UM17)")
struct UserCallTests {
    private static let log = #"{"username":"ann","type":"login","device_info":{"id":"d","remote_zone":"DE"}}"#
    /// HMAC-SHA256 of the id under the key of the test server, its first 128 bits.
    private static let line =
        #"{"timestamp":"2026-11-21T10:00:00Z","username":"ann","type":"login","device_info":{"id":"ID","remote_zone":"DE"}}"#

    /// An answer with the digits of device ids replaced.
    private static func plain(_ reply: Reply) -> String {
        reply.text.replacing(/"id":"[0-9a-f]{32}"/, with: #""id":"ID""#)
    }

    private static func expectSuccess(_ reply: Reply, _ body: String) {
        #expect(reply.status == 200)
        #expect(plain(reply) == body)
        #expect(reply.fields["content-type"] == "application/json")
        #expect(reply.fields["cache-control"] == "no-store")
    }

    private static func expectRefusal(_ reply: Reply, _ status: Int, _ reason: String, naming text: String = "") {
        #expect(reply.status == status)
        #expect(reply.fields["content-type"] == "application/problem+json")
        #expect(reply.text.contains(#""reason":"\#(reason)""#), "\(reply.text)")
        #expect(text.isEmpty || reply.text.contains(text), "\(reply.text)")
    }

    @Test("what one call stores the others tell")
    func calls() async throws {
        try await UserServer.run { server in
            Self.expectSuccess(try await server.call("add_log", Self.log), "{}")
            Self.expectSuccess(
                try await server.call("get_user_logs", #"{"username":"ann"}"#),
                #"{"result":[\#(Self.line)],"results":[\#(Self.line)]}"#)
            let times = #""first_seen":"2026-11-21T10:00:00Z","last_seen":"2026-11-21T10:00:00Z","num_logins":1"#
            Self.expectSuccess(
                try await server.call("get_user_devices", #"{"username":"ann"}"#),
                #"{"devices":[{"device_info":{"id":"ID","remote_zone":"DE"},\#(times)}]}"#)
            Self.expectSuccess(
                try await server.call(
                    "check_device", #"{"username":"ann","device_info":{"id":"d","remote_zone":"FR"}}"#),
                #"{"seen":true,\#(times),"location_match":false,"known_zones":["DE"],"risk":["new_country"]}"#)
            Self.expectSuccess(
                try await server.call("set_last_login", #"{"last_login":{"username":"ann","service":"imap"}}"#), "{}")
            let login = #"{"timestamp":"2026-11-21T10:00:00Z","username":"ann","service":"imap"}"#
            Self.expectSuccess(
                try await server.call("get_last_login", #"{"username":"ann"}"#),
                #"{"result":[\#(login)],"results":[\#(login)]}"#)
            Self.expectSuccess(
                try await server.call("get_unused_accounts", #"{"usernames":["bob","ann"],"days":1}"#),
                #"{"unused_usernames":["bob"]}"#)
            #expect(server.counters.accepted == 2)
        }
    }

    @Test("who is not known is told so with 200")
    func unknown() async throws {
        try await UserServer.run { server in
            let nobody = #"{"username":"nobody"}"#
            for name in ["get_user_logs", "get_last_login"] {
                Self.expectSuccess(try await server.call(name, nobody), #"{"result":[],"results":[]}"#)
            }
            Self.expectSuccess(try await server.call("get_user_devices", nobody), #"{"devices":[]}"#)
            Self.expectSuccess(try await server.call("erase_user", nobody), "{}")
        }
    }

    @Test("a batch is a list or lines", arguments: [true, false])
    func batch(isNDJSON: Bool) async throws {
        try await UserServer.run { server in
            let body = isNDJSON ? Self.log + "\n" + Self.log : "[\(Self.log),\(Self.log)]"
            let type = isNDJSON ? "application/x-ndjson" : "application/json; charset=utf-8"
            Self.expectSuccess(try await server.call("add_logs", body, type: type), "{}")
            Self.expectSuccess(
                try await server.call("get_user_logs", #"{"username":"ann","limit":2}"#),
                #"{"result":[\#(Self.line),\#(Self.line)],"results":[\#(Self.line),\#(Self.line)]}"#)
        }
    }

    @Test("pages follow one another by their cursors")
    func pages() async throws {
        try await UserServer.run { server in
            for hour in 0..<5 {
                let time = #""2026-11-21T0\#(hour):30:00Z""#
                _ = try await server.call("add_log", #"{"username":"ann","timestamp":\#(time)}"#)
            }
            var (found, cursor) = ([Substring](), "")
            repeat {
                let reply = try await server.call("get_user_logs", #"{"username":"ann","limit":2\#(cursor)}"#)
                found += reply.text.prefix { $0 != "]" }.matches(of: /T(..):00/).map { $0.1 }
                cursor = reply.text.firstMatch(of: /,"cursor":"[0-9a-f]*"/).map { String($0.0) } ?? ""
            } while !cursor.isEmpty
            #expect(found == ["04", "03", "02", "01", "00"])
            Self.expectRefusal(
                try await server.call("get_user_logs", #"{"username":"ann","cursor":"x"}"#), 400, "bad_cursor")
        }
    }

    @Test("a delivery that comes again is stored once; its key with another body is refused")
    func delivery() async throws {
        try await UserServer.run { server in
            let key = [("idempotency-key", "k")]
            for _ in 0..<3 { Self.expectSuccess(try await server.call("add_log", Self.log, key), "{}") }
            #expect(server.store.logins.snapshot().lastSequence.value == 1)
            Self.expectRefusal(
                try await server.call("add_log", #"{"username":"bob"}"#, key), 422, "delivery_conflict")
        }
    }

    @Test(
        "a refusal says what is wrong with which field",
        arguments: [
            ("add_log", #"{"type":"login"}"#, "missing_field", #""field":"username""#),
            ("add_log", #"{"log":{"username":7}}"#, "invalid_field", #""field":"log.username""#),
            ("add_log", "{", "unexpected_end", #""offset":1"#),
            ("add_log", "", "unexpected_end", #""offset":0"#),
            ("add_logs", #"[{"username":"a"},{}]"#, "missing_field", #""entry":1"#),
            ("set_last_login", #"{"username":"ann"}"#, "missing_field", #""field":"service""#),
            ("get_unused_accounts", #"{"days":0}"#, "invalid_field", #""field":"days""#),
            ("check_device", #"{"username":"ann"}"#, "missing_field", #""field":"device_info""#),
        ])
    func refusals(call: String, body: String, reason: String, detail: String) async throws {
        try await UserServer.run { server in
            Self.expectRefusal(try await server.call(call, body), 400, reason, naming: detail)
            #expect(server.store.logins.snapshot().lastSequence.value == 0)
        }
    }

    @Test("what is no POST of JSON is refused, and other roles' paths are not there")
    func framing() async throws {
        try await UserServer.run { server in
            let get = try await server.ask(TestRequest("GET", "/api/add_log"))
            Self.expectRefusal(get, 405, "method_not_allowed")
            #expect(get.fields["allow"] == "OPTIONS, POST")
            #expect(try await server.ask(TestRequest("OPTIONS", "/api/add_log")).fields["allow"] == "OPTIONS, POST")
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/x-ndjson", nil] {
                Self.expectRefusal(
                    try await server.call("add_log", Self.log, type: type), 400, "wrong_media_type")
            }
            Self.expectRefusal(try await server.call("nothing", "{}"), 404, "not_found")
            for path in ["/wsapi/interaction_data", "/wsapi/ping"] {
                Self.expectRefusal(try await server.ask(TestRequest("GET", path)), 404, "not_found")
            }
            #expect(try await server.ask(TestRequest("GET", "/livez")).status == 200)
        }
        try await TestServer.run { server in
            let reply = try await server.ask(TestRequest("POST", "/api/add_log", [("content-length", "0")]))
            Self.expectRefusal(reply, 404, "not_found")
        }
    }

    @Test("who asks more often than he may is told 429")
    func overload() async throws {
        try await UserServer.run { options in
            options.listener.requests.rate = RequestLimits.ClientRate(perSecond: 1, burst: 1)
        } _: { server in
            Self.expectSuccess(try await server.call("add_log", Self.log), "{}")
            Self.expectRefusal(try await server.call("add_log", Self.log), 429, "too_many_requests")
        }
    }

    @Test("storing wants ingest, asking read, erasing admin")
    func access() async throws {
        let scopes: [(String, TokenScope)] = [("writer", .ingest), ("reader", .read), ("operator", .admin)]
        let tokens = scopes.enumerated().map { index, token in
            Token(id: "0000000\(index)", name: token.0, hash: TokenHash(ofToken: token.0), scopes: [token.1])
        }
        try await UserServer.run { options in
            options.access.tokens = TokenBook(configured: tokens)
        } _: { server in
            for call in UserCall.allCases {
                for (name, scope) in scopes {
                    let reply = try await server.call(call.rawValue, "{}", [("authorization", "Bearer \(name)")])
                    let isLet = call.need == .scope(scope)
                    #expect(reply.status == (isLet ? 400 : 403), "\(call) \(name)")
                }
                #expect(try await server.call(call.rawValue, "{}").status == 401)
            }
        }
    }

    @Test("an erased user is unknown to every call")
    func erased() async throws {
        try await UserServer.run { server in
            _ = try await server.call("add_log", Self.log)
            _ = try await server.call("set_last_login", #"{"username":"ann","service":"imap"}"#)
            Self.expectSuccess(try await server.call("erase_user", #"{"username":"ann"}"#), "{}")
            for name in ["get_user_logs", "get_last_login"] {
                Self.expectSuccess(
                    try await server.call(name, #"{"username":"ann"}"#), #"{"result":[],"results":[]}"#)
            }
            Self.expectSuccess(
                try await server.call("get_user_devices", #"{"username":"ann"}"#), #"{"devices":[]}"#)
        }
    }
}
