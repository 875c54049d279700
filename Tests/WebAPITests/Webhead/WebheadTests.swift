import Interactions
import LogEngine
import TestSupport
import Testing

@testable import WebAPI

@Suite("The webhead, as browsers see it")
struct WebheadTests {
    private static let blob = #"{"timestamp":1795168800000,"lang":"en"}"#

    @Test("a session context has what browsers look for, and a cookie that scripts cannot read")
    func context() async throws {
        try await TestWebhead.run { webhead in
            let reply = try await webhead.ask(TestRequest("GET", "/wsapi/session_context"))
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "application/json")
            #expect(reply.fields["cache-control"] == "no-cache, max-age=0")
            let cookie = try #require(reply.fields["set-cookie"])
            #expect(cookie.hasPrefix("daybook_session="))
            #expect(cookie.hasSuffix("; Path=/wsapi; HttpOnly; SameSite=Lax"))
            #expect(reply.text.contains(#""server_time":1795169223500,"authenticated":false,"data_sample_rate":1.0}"#))
        }
    }

    @Test("a known cookie keeps its session; a strange one gets another")
    func sameSession() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let again = try await webhead.session([("cookie", "a=b; \(jar.cookie)")])
            #expect(again.cookie == jar.cookie && again.token == jar.token)
            #expect(try await webhead.session([("cookie", "daybook_session=x")]).token != jar.token)
        }
    }

    @Test("over TLS the cookie is secure, and goes with other origins where there are some")
    func cookies() {
        #expect(SessionCookie.field("v", isSecure: true, crossesOrigins: false).hasSuffix("SameSite=Lax; Secure"))
        #expect(SessionCookie.field("v", isSecure: true, crossesOrigins: true).hasSuffix("SameSite=None; Secure"))
        #expect(SessionCookie.field("v", isSecure: false, crossesOrigins: true).hasSuffix("SameSite=Lax"))
    }

    @Test("what browsers are told to sample goes by their name")
    func sampleRates() async throws {
        var options = WebheadOptions()
        options.browserSampleRate = 0.5
        options.browserSampleRates = ["Firefox": 0.25]
        try await TestWebhead.run(options) { webhead in
            let firefox = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            let told = try await webhead.ask(TestRequest("GET", "/wsapi/session_context", [firefox])).text
            #expect(told.contains(#""data_sample_rate":0.25"#))
            #expect(try await webhead.ask(TestRequest("GET", "/wsapi/session_context")).text.contains(#"_rate":0.5}"#))
        }
    }

    @Test(
        "a blob or a list is durable when it is answered, as JSON of any charset or as a beacon's text",
        arguments: [
            "application/json", "application/json; charset=ISO-8859-1", "text/plain;charset=UTF-8", "TEXT/PLAIN",
        ])
    func posts(type: String) async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            for data in [Self.blob, "[\(Self.blob),[\(Self.blob)]]"] {
                let reply = try await webhead.post(data, jar, [("content-type", type)])
                #expect(reply.status == 200)
                #expect(reply.text == #"{"success":true}"# + "\n")
                #expect(reply.fields["cache-control"] == "no-cache, max-age=0")
            }
            #expect(try webhead.lines == [String](repeating: Self.blob, count: 3))
            #expect(webhead.shared.metrics.counters.accepted == 3)
            #expect(try await webhead.post("[]", jar).status == 200)
        }
    }

    @Test("the browser's name is put in, and what was changed is counted")
    func changes() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let agent = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            _ = try await webhead.post(#"{"local_timestamp":5,"remote":"192.0.2.1"}"#, jar, [agent])
            let line = #"{"timestamp":1795168800000,"user_agent":{"os":"Linux","browser":"Firefox","version":140}}"#
            #expect(try webhead.lines == [line])
            let changes = try webhead.told.families["daybook_changed_blobs_total"]?.samples.filter { $0.value > 0 }
            #expect(changes?.allSatisfy { $0.value == 1 } == true)
            #expect(
                changes?.compactMap { $0.labels["change"] }.sorted() == [
                    "address", "local_timestamp", "timestamp_missing",
                ])
        }
    }

    @Test("without a cookie of ours it is 403, and without its token 400, in the old words")
    func forgery() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let other = try await webhead.session()
            for cookie in ["", "daybook_session=AAAA", "other=1"] {
                let reply = try await webhead.post(Self.blob, .init(cookie: cookie, token: jar.token))
                #expect(reply.status == 403)
                #expect(reply.text == "Forbidden: no cookie")
                #expect(reply.fields["cache-control"] == "no-cache, max-age=0")
            }
            for token in ["", "x", other.token, jar.token + "A"] {
                let reply = try await webhead.post(Self.blob, .init(cookie: jar.cookie, token: token))
                #expect(reply.status == 400)
                #expect(reply.text == "Bad Request: CSRF violation")
            }
            let without = TestRequest(
                "POST", "/wsapi/interaction_data", [("cookie", jar.cookie), ("content-type", "application/json")],
                body: #"{"data":{}}"#)
            #expect(try await webhead.ask(without).text == "Bad Request: CSRF violation")
            #expect(try webhead.lines.isEmpty)
            #expect(webhead.dropped == ["no_cookie": 3, "csrf_violation": 5])
            // The key of a day is known for a day more.
            webhead.clock.advance(by: 86_400_000)
            #expect(try await webhead.post(Self.blob, jar).status == 200)
            webhead.clock.advance(by: 86_400_000)
            #expect(try await webhead.post(Self.blob, jar).status == 403)
        }
    }

    @Test(
        "whoever does not want to be measured is not, and is told of success",
        arguments: [
            ("sec-gpc", "1"), ("dnt", "1"), ("cookie", "daybook_opt_out=1"), ("cookie", "daybook_opt_out="),
        ])
    func optOut(name: String, value: String) async throws {
        try await TestWebhead.run { webhead in
            let reply = try await webhead.post(Self.blob, .init(cookie: "", token: ""), [(name, value)])
            #expect(reply.status == 200)
            #expect(reply.text == #"{"success":true}"# + "\n")
            #expect(try webhead.lines.isEmpty)
            #expect(webhead.dropped == ["opt_out": 1])
            let jar = try await webhead.session()
            #expect(try await webhead.post(Self.blob, jar, name == "cookie" ? [] : [(name, "0")]).status == 200)
            #expect(try webhead.lines.count == 1)
        }
    }

    @Test("a session is in the sample or it is not")
    func sampling() async throws {
        var options = WebheadOptions()
        options.sample = try #require(SessionSample(rate: 0.5))
        try await TestWebhead.run(options) { webhead in
            var kept = 0
            for _ in 0..<24 {
                let jar = try await webhead.session()
                let before = try webhead.lines.count
                for _ in 0..<2 { #expect(try await webhead.post(Self.blob, jar).status == 200) }
                let stored = try webhead.lines.count - before
                #expect(stored == 0 || stored == 2)
                kept += stored / 2
            }
            #expect((4...20).contains(kept))
            #expect(try webhead.lines.allSatisfy { $0.hasSuffix(#","sample_rate":0.5}"#) })
            #expect(webhead.dropped == ["sampled_out": 2 * (24 - kept)])
        }
    }

    @Test(
        "one bad blob refuses all, by name",
        arguments: [
            (#"[{"lang":"en"},{"screen_size":{"width":-1}}]"#, "bad_field", "screen_size.width"),
            ("[7]", "not_a_blob", nil), (#"{"timestamp":5,"timestamp":6}"#, "bad_event", nil),
        ])
    func badBlob(data: String, reason: String, field: String?) async throws {
        try await TestWebhead.run { webhead in
            let reply = try await webhead.post(data, try await webhead.session())
            #expect(reply.status == 400)
            #expect(reply.fields["content-type"] == "application/problem+json")
            #expect(reply.text.contains(#""reason":"\#(reason)""#))
            if let field { #expect(reply.text.contains(#""blob":1,"field":"\#(field)""#)) }
            #expect(try webhead.lines.isEmpty)
        }
    }

    @Test(
        "what is no post is refused, never with 500",
        arguments: [
            ("application/json", "{", 400), ("application/json", "[]", 400),
            ("application/json", #"{"csrf":"x"}"#, 400),
            ("application/json", "", 400), ("text/plain", "data=1", 400),
            ("application/x-www-form-urlencoded", "data=1", 415),
            ("", "{}", 415),
        ])
    func badBody(type: String, body: String, status: Int) async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let fields = [("cookie", jar.cookie)] + (type.isEmpty ? [] : [("content-type", type)])
            let reply = try await webhead.ask(TestRequest("POST", "/wsapi/interaction_data", fields, body: body))
            #expect(reply.status == status)
            #expect(reply.fields["cache-control"] == "no-cache, max-age=0")
        }
    }

    @Test("a body beyond 64 KiB is 413, announced or not, and one of 64 KiB is taken")
    func bodyBound() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let frame = #"{"data":{"timestamp":1795168800000,"x":""},"csrf":"\#(jar.token)"}"#.utf8.count
            func blob(_ bytes: Int) -> String {
                #"{"timestamp":1795168800000,"x":"\#(String(repeating: "x", count: bytes - frame))"}"#
            }
            #expect(try await webhead.post(blob(65_536), jar).status == 200)
            let reply = try await webhead.post(blob(65_537), jar)
            #expect(reply.status == 413)
            #expect(reply.fields["connection"] == "close")
            let port = webhead.port
            let chunked = try await Blocking.run {
                let connection = try RawConnection(port)
                let chunk = "8000\r\n" + String(repeating: " ", count: 32_768) + "\r\n"
                try connection.send(
                    "POST /wsapi/interaction_data HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                        + chunk + chunk + chunk)
                return try connection.readReply()
            }
            #expect(chunked.status == 413)
        }
    }

    @Test("a full spool is 507 and a broken one 503, both with a time to come again")
    func full() async throws {
        let disk = VirtualDisk()
        try await TestWebhead.run(on: disk, at: "/data") { webhead in
            let jar = try await webhead.session()
            webhead.state.isFull.withLock { $0 = true }
            let reply = try await webhead.post(Self.blob, jar)
            #expect(reply.status == 507)
            #expect(reply.fields["retry-after"] == "60")
            webhead.state.isFull.withLock { $0 = false }
            #expect(try await webhead.post(Self.blob, jar).status == 200)
            disk.freeBytes = 0
            webhead.clock.advance(by: 5_000)
            #expect(try await webhead.post(Self.blob, jar).status == 507)
            disk.freeBytes = 1 << 30
            webhead.clock.advance(by: 5_000)
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            for _ in 0..<2 {
                let broken = try await webhead.post(Self.blob, jar)
                #expect(broken.status == 503)
                #expect(broken.fields["retry-after"] == "60")
            }
        }
    }

    @Test("other origins are let in only where they are listed")
    func origins() async throws {
        let listed = ("origin", "https://login.example.org")
        try await TestWebhead.run { webhead in
            let reply = try await webhead.ask(TestRequest("GET", "/wsapi/session_context", [listed]))
            #expect(reply.fields["access-control-allow-origin"] == nil && reply.fields["vary"] == nil)
        }
        var options = WebheadOptions()
        options.origins = [listed.1]
        try await TestWebhead.run(options) { webhead in
            let reply = try await webhead.ask(TestRequest("GET", "/wsapi/session_context", [listed]))
            #expect(reply.fields["access-control-allow-origin"] == listed.1)
            #expect(reply.fields["access-control-allow-credentials"] == "true")
            #expect(reply.fields["vary"] == "Origin")
            let strange = try await webhead.ask(
                TestRequest("GET", "/wsapi/session_context", [("origin", "https://evil.example")]))
            #expect(strange.fields["access-control-allow-origin"] == nil && strange.fields["vary"] == "Origin")
            let asked = try await webhead.ask(TestRequest("OPTIONS", "/wsapi/interaction_data", [listed]))
            #expect(asked.status == 204)
            #expect(asked.fields["access-control-allow-methods"] == "GET, POST")
            #expect(asked.fields["access-control-allow-headers"] == "Content-Type")
        }
    }

    @Test(
        "paths and methods",
        arguments: [
            ("GET", "/wsapi/ping", 200), ("GET", "/livez", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 404),
            ("GET", "/wsapi/interaction_data", 405), ("GET", "/wsapi/interaction_data/count", 404), ("GET", "/", 404),
            ("POST", "/wsapi/session_context", 405), ("DELETE", "/wsapi/interaction_data", 405),
            ("HEAD", "/wsapi/session_context", 200), ("OPTIONS", "/wsapi/session_context", 204),
        ])
    func routes(method: String, path: String, status: Int) async throws {
        try await TestWebhead.run { webhead in
            let reply = try await webhead.ask(TestRequest(method, path))
            #expect(reply.status == status)
            #expect((reply.fields["cache-control"] != nil) == path.hasPrefix("/wsapi"))
        }
    }

    @Test("operators see health and metrics, and nothing of browsers")
    func operators() async throws {
        try await TestWebhead.run(isForOperators: true) { webhead in
            #expect(try await webhead.ask(TestRequest("GET", "/wsapi/session_context")).status == 404)
            #expect(try await webhead.ask(TestRequest("GET", "/version")).text.contains(Build.version))
            #expect(try await webhead.ask(TestRequest("GET", "/readyz")).text == "ok")
            webhead.state.health.withLock { $0 = .degraded("storage is down") }
            let degraded = try await webhead.ask(TestRequest("GET", "/readyz"))
            #expect(degraded.status == 200 && degraded.text == "degraded: storage is down")
            webhead.state.health.withLock { $0 = .full }
            let full = try await webhead.ask(TestRequest("GET", "/readyz"))
            #expect(full.status == 503 && full.text.contains("spool_full"))
        }
    }

    @Test("requests that come in one go are answered in their order")
    func pipelined() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let port = webhead.port
            func request(_ number: Int) -> [UInt8] {
                TestRequest(
                    "POST", "/wsapi/interaction_data", [("cookie", jar.cookie), ("content-type", "application/json")],
                    body: #"{"data":{"timestamp":1795168800000,"n":\#(number)},"csrf":"\#(jar.token)"}"#
                ).bytes
            }
            let ping = TestRequest("GET", "/wsapi/ping").bytes
            let bytes = request(1) + ping + request(2) + request(3) + ping
            let texts = try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(bytes)
                return try (0..<5).map { _ in try connection.readReply().text }
            }
            let success = #"{"success":true}"# + "\n"
            #expect(texts == [success, "pong", success, success, "pong"])
            #expect(try webhead.lines == (1...3).map { #"{"timestamp":1795168800000,"n":\#($0)}"# })
        }
    }
}
