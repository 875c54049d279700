import Testing

@testable import WebAPI

/// What clients of the original send, and the answers that they know.
@Suite("forms and JSON bodies")
struct PostTests {
    private static let target = "/wsapi/interaction_data"
    private static let event = #"{"timestamp":1361407200000,"lang":"en"}"#
    private static let form = "application/x-www-form-urlencoded"
    private static let json = "application/json"

    private static func post(_ type: String?, _ body: String?, _ fields: [(String, String)] = []) -> TestRequest {
        TestRequest("POST", target, (type.map { [("content-type", $0)] } ?? []) + fields, body: body)
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    struct Accepted: Sendable {
        let type: String
        let body: String
        var lines = [PostTests.event]

        static func form(_ data: String, _ lines: [String] = [PostTests.event]) -> Accepted {
            Accepted(type: PostTests.form, body: "data=" + PostTests.escaped(data), lines: lines)
        }
        static func json(_ data: String, _ lines: [String] = [PostTests.event]) -> Accepted {
            Accepted(type: PostTests.json, body: #"{"data":\#(data)}"#, lines: lines)
        }
    }

    @Test(
        "they are stored, and answered with ok",
        arguments: [
            .form(event), .form("[\(event)]"), .form(" [ \(event) ,\r\n \(event) ] ", [event, event]),
            .form("[[\(event)],[[\(event)],[]]]", [event, event]),
            Accepted(type: form, body: "data=%5B%7B%22timestamp%22%3A1361407200000%2C%22lang%22%3A%22en%22%7D%5D"),
            Accepted(type: "\(form); charset=UTF-8", body: "csrf=x&data=\(escaped(event))"),
            .json(event), .json("[\(event),[\(event)]]", [event, event]),
            .json(#""[{\"timestamp\":1361407200000,\"lang\":\"en\"}]""#),
            Accepted(type: "application/json;charset=utf-8", body: #"{"csrf":"x", "data" : \#(event) }"#),
            .form(#"{"timestamp":1361407299999,"_id":"x","_rev":"1-y"}"#, [#"{"timestamp":1361407200000}"#]),
            .form(#"{"timestamp":1336575273}"#, [#"{"timestamp":1336575000}"#]),
            .form(#"{"timestamp":13330461000000}"#, [#"{"timestamp":13330461000000}"#]),
        ] as [Accepted])
    func accepted(post: Accepted) async throws {
        try await TestServer.run { server in
            let reply = try await server.ask(Self.post(post.type, post.body))
            #expect(reply.status == 201 && reply.text == "ok")
            #expect(reply.fields["content-type"]?.hasPrefix("text/plain") == true)
            let stored = try await server.get("\(Self.target)?order=arrival", accept: "application/x-ndjson")
            #expect(stored.lines == post.lines)
            #expect(server.counters.accepted == post.lines.count)
        }
    }

    private static let malformed = "Malformed POST, unable to parse JSON."
    private static let noJSON = "JSON syntax error"
    private static let invalid = "invalid"

    struct Refused: Sendable {
        let type: String?
        let body: String?
        let text: String
        var events = 1
        var reason: String?
    }

    @Test(
        "or refused whole with the texts that they know, and a reason",
        arguments: [
            Refused(type: nil, body: nil, text: malformed, events: 0),
            Refused(type: nil, body: "", text: malformed, events: 0),
            Refused(type: form, body: "", text: malformed, events: 0),
            Refused(type: json, body: "", text: malformed, events: 0),
            Refused(type: form, body: "date=1", text: malformed, events: 0, reason: "no_data"),
            Refused(type: form, body: "data=", text: malformed, events: 0),
            Refused(type: json, body: "{}", text: malformed, events: 0),
            Refused(type: json, body: "{bad", text: malformed, events: 0),
            Refused(type: json, body: "[\(event)]", text: malformed, events: 0),
            Refused(type: json, body: #"{"data":null}"#, text: noJSON, events: 0),
            Refused(type: form, body: "data=null", text: noJSON, reason: "not_an_object; offset=0"),
            Refused(type: form, body: "data=%5Bnull%5D", text: noJSON),
            Refused(type: form, body: "data=%7B", text: noJSON, reason: "unexpected_end; offset=1"),
            Refused(type: form, body: "data=hello", text: noJSON),
            Refused(type: json, body: #"{"data":"{"}"#, text: noJSON),
            Refused(type: form, body: "data=%5B%5D", text: invalid, reason: "no_events; offset=0"),
            Refused(type: form, body: "data=%7B%7D", text: invalid, reason: "missing_timestamp; offset=1"),
            Refused(type: form, body: "data=17", text: invalid),
            Refused(type: form, body: "data=%22x%22", text: invalid),
            Refused(type: form, body: "data={\"timestamp\":0}", text: invalid),
            Refused(type: json, body: #"{"data":{"timestamp":"1361407200000"}}"#, text: invalid),
            Refused(type: json, body: #"{"data":[\#(event),{"timestamp":1.5},\#(event)]}"#, text: invalid, events: 3),
            Refused(type: form, body: "data=[\(event),[{}]]", text: invalid, events: 2),
        ])
    func refused(post: Refused) async throws {
        try await TestServer.run { server in
            let reply = try await server.ask(Self.post(post.type, post.body))
            #expect(reply.status == 400 && reply.text == post.text)
            if let reason = post.reason { #expect(reply.fields["daybook-reason"] == reason) }
            #expect(try await server.get("\(Self.target)/count").text == "0")
            #expect(server.counters.refused.values.reduce(0) { $0 + $1.events } == post.events)
            #expect(server.counters.refused.values.reduce(0) { $0 + $1.requests } == 1)
        }
    }

    @Test("a list of more events than a batch holds is 413")
    func tooMany() async throws {
        try await TestServer.run { server in
            let list = Array(repeating: #"{"timestamp":1}"#, count: 100_001).joined(separator: ",")
            let reply = try await server.ask(Self.post(Self.json, #"{"data":[\#(list)]}"#))
            #expect(reply.status == 413)
            #expect(try await server.get("\(Self.target)/count").text == "0")
        }
    }

    @Test("a large form is decoded to the last event")
    func large() async throws {
        try await TestServer.run { server in
            let events = (0..<5_000).map { #"{"timestamp":1361407200000,"n":\#($0),"pad":"é\#("x")"}"# }
            let body = "data=" + Self.escaped("[\(events.joined(separator: ","))]")
            #expect(try await server.ask(Self.post(Self.form, body)).status == 201)
            let stored = try await server.get("\(Self.target)?order=arrival", accept: "application/x-ndjson")
            #expect(stored.lines == events)
        }
    }

    @Test("a key works for them as for lines")
    func idempotency() async throws {
        try await TestServer.run { server in
            let key = [("idempotency-key", "k")]
            for _ in 0..<2 {
                let reply = try await server.ask(Self.post(Self.form, "data=\(Self.event)", key))
                #expect(reply.text == "ok")
            }
            #expect(try await server.ask(Self.post(Self.form, "data=[\(Self.event)]", key)).status == 422)
            #expect(try await server.get("\(Self.target)/count").text == "1")
        }
    }
}

@Suite("on_error=skip")
struct SkipTests {
    private static let target = "/wsapi/interaction_data"
    private static let bad = #"{"timestamp":"soon"}"#
    private static let good = #"{"timestamp":1361407200000}"#

    private func post(_ server: TestServer, _ body: String, _ query: String) async throws -> Reply {
        try await server.ask(
            TestRequest("POST", Self.target + query, [("content-type", "application/x-ndjson")], body: body))
    }

    @Test("bad lines are left out, listed and counted")
    func skips() async throws {
        try await TestServer.run { server in
            let body = "\(Self.good)\n\n\(Self.bad)\n\(Self.good)\r\n[]\n\(Self.good)"
            let reply = try await post(server, body, "?on_error=skip")
            #expect(reply.status == 201)
            let offsets = (Self.good.utf8.count + 2 + 13, Self.good.utf8.count * 2 + Self.bad.utf8.count + 5)
            #expect(
                reply.text.hasSuffix(
                    #","refused":[{"line":3,"offset":\#(offsets.0),"reason":"invalid_timestamp"},"#
                        + #"{"line":5,"offset":\#(offsets.1),"reason":"not_an_object"}]}"# + "\n"))
            #expect(reply.text.hasPrefix(#"{"accepted":3,"discarded":0,"first_id":""#))
            #expect(server.counters.accepted == 3)
            #expect(server.counters.refused["invalid_timestamp"]?.events == 1)
            #expect(server.counters.refused["not_an_object"]?.events == 1)
        }
    }

    @Test("without a bad line the list is empty; without a good one nothing is stored")
    func extremes() async throws {
        try await TestServer.run { server in
            #expect(try await post(server, Self.good, "?on_error=skip").text.hasSuffix(#","refused":[]}"# + "\n"))
            let reply = try await post(server, Self.bad, "?on_error=skip")
            #expect(
                reply.text
                    == #"{"accepted":0,"discarded":0,"first_id":null,"last_id":null,"#
                    + #""refused":[{"line":1,"offset":13,"reason":"invalid_timestamp"}]}"# + "\n")
            #expect(try await post(server, Self.bad, "?on_error=refuse").status == 400)
            #expect(try await server.get("\(Self.target)/count").text == "1")
        }
    }

    @Test(
        "another value is refused, whatever the type of the body",
        arguments: [nil, "application/x-ndjson", "application/json", "application/x-www-form-urlencoded"])
    func badValue(type: String?) async throws {
        try await TestServer.run { server in
            for query in ["?on_error=ignore", "?on_error=", "?on_error=skip&on_error=skip"] {
                let fields = type.map { [("content-type", $0)] } ?? []
                let reply = try await server.ask(
                    TestRequest("POST", Self.target + query, fields, body: Self.good))
                #expect(reply.status == 400 && reply.text.contains(#""parameter":"on_error""#), "\(query)")
            }
            #expect(server.counters.refused["bad_parameter"]?.requests == 3)
        }
    }

    @Test("a repeat gets the same bytes")
    func repeats() async throws {
        try await TestServer.run { server in
            let fields = [("content-type", "application/x-ndjson"), ("idempotency-key", "k")]
            let request = TestRequest(
                "POST", "\(Self.target)?on_error=skip", fields, body: "\(Self.bad)\n\(Self.good)\n")
            let first = try await server.ask(request)
            #expect(first.status == 201)
            #expect(try await server.ask(request).text == first.text)
            #expect(server.counters.repeats == 1 && server.counters.accepted == 1)
        }
    }
}
