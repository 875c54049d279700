import Testing

@testable import WebAPI

@Suite("paths and methods")
struct EndpointTests {
    @Test("what is answered where")
    func table() async throws {
        try await TestServer.run { server in
            let table: [(method: String, path: String, status: Int, body: String)] = [
                ("GET", "/wsapi/ping", 200, "pong"), ("GET", "/livez", 200, "ok"), ("GET", "/readyz", 200, "ok"),
                ("GET", "/wsapi/ping?x=1", 200, "pong"), ("POST", "/wsapi/ping", 405, ""),
                ("DELETE", "/wsapi/interaction_data", 405, ""), ("PUT", "/readyz", 405, ""), ("GET", "/", 404, ""),
                ("GET", "/wsapi/interaction_data/x", 404, ""), ("GET", "/wsapi", 404, ""),
                ("PATCH", "/wsapi/interaction_data/count", 405, ""), ("POST", "/openapi.json", 405, ""),
                ("OPTIONS", "/wsapi/nothing", 404, ""),
            ]
            for row in table {
                let reply = try await server.ask(TestRequest(row.method, row.path))
                #expect(reply.status == row.status, "\(row.method) \(row.path)")
                if row.status == 200 {
                    #expect(reply.text == row.body)
                } else {
                    #expect(reply.fields["content-type"] == "application/problem+json")
                    #expect((reply.fields["allow"] != nil) == (row.status == 405))
                }
                #expect(reply.fields["date"]?.hasSuffix(" GMT") == true)
            }
        }
    }

    @Test(
        "OPTIONS tells the methods of a path",
        arguments: [
            ("/wsapi/interaction_data", "GET, HEAD, OPTIONS, POST"),
            ("/wsapi/interaction_data/", "GET, HEAD, OPTIONS, POST"),
            ("/wsapi/interaction_data/count", "GET, HEAD, OPTIONS"),
            ("/wsapi/interaction_data/last", "GET, HEAD, OPTIONS"),
            ("/wsapi/interaction_data/stream", "GET, HEAD, OPTIONS"), ("/livez", "GET, HEAD, OPTIONS"),
        ])
    func options(path: String, methods: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.ask(TestRequest("OPTIONS", path))
            #expect(reply.status == 204 && reply.fields["allow"] == methods)
            #expect(reply.fields["content-length"] == nil && reply.body.isEmpty)
        }
    }

    @Test("every path answers HEAD with the fields of GET and no body, and the connection goes on")
    func heads() async throws {
        try await TestServer.run { server in
            _ = try await server.post(#"{"timestamp":1361407200000}"#)
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                for path in ["", "/count", "/last", "/stream", "?id=x"].map({ "/wsapi/interaction_data\($0)" })
                    + ["/wsapi/ping", "/livez", "/readyz", "/openapi.json"]
                {
                    try connection.send(TestRequest("HEAD", path).bytes)
                    let head = try connection.readReply(toHead: true)
                    #expect(head.status == (path.hasSuffix("x") ? 404 : 200), "\(path)")
                    guard !path.hasSuffix("/stream") else { continue }
                    try connection.send(TestRequest("GET", path).bytes)
                    let reply = try connection.readReply()
                    for name in ["content-type", "content-length", "etag", "vary", "trailer"] {
                        #expect(head.fields[name] == reply.fields[name], "\(name) of \(path)")
                    }
                }
            }
        }
    }

    @Test("a request that is no HTTP is 400")
    func noHTTP() async throws {
        try await TestServer.run { server in
            let port = server.port
            let status = try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send("nonsense\r\n\r\n")
                return try connection.readReply().status
            }
            #expect(status == 400)
            #expect(server.counters.refused == ["not_http": .init(requests: 1, events: 0)])
        }
    }

    @Test(
        "dates are IMF-fixdates",
        arguments: [(784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (1_795_000_000, "Wed, 18 Nov 2026 11:06:40 GMT")])
    func dates(second: Int, text: String) {
        #expect(HTTPDate.text(of: second) == text)
    }

    @Test("a problem is valid JSON whatever it tells")
    func problem() {
        var problem = Problem(.badRequest, "a\"b", "line\u{1}\n\\")
        problem.extras = [("line", .number(3)), ("parameter", .text("\"x\""))]
        #expect(
            String(buffer: problem.body)
                == #"{"type":"about:blank","title":"Bad Request","status":400,"reason":"a\"b","#
                + #""detail":"line\u0001\u000a\\","line":3,"parameter":"\"x\""}"# + "\n")
    }
}
