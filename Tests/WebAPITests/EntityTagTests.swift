import Testing

@testable import WebAPI

@Suite("entity tags")
struct EntityTagTests {
    private static let target = "/wsapi/interaction_data"

    private static func event(_ minute: Int) -> String { #"{"timestamp":\#(1_361_407_200_000 + minute * 60_000)}"# }

    private func tag(_ server: TestServer, _ query: String, _ accept: String? = nil) async throws -> String? {
        let reply = try await server.get(Self.target + query, accept: accept)
        #expect(reply.status == 200)
        return reply.fields["etag"]
    }

    @Test("what the client has is not sent again; the connection goes on")
    func notModified() async throws {
        try await TestServer.run { server in
            _ = try await server.post(Self.event(0))
            let tag = try #require(try await tag(server, ""))
            #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.count == 34)
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                for (value, method) in [
                    (tag, "GET"), ("W/\(tag)", "GET"), ("\"x\", \(tag)", "GET"), ("*", "GET"), (tag, "HEAD"),
                ] {
                    try connection.send(TestRequest(method, Self.target, [("if-none-match", value)]).bytes)
                    let reply = try connection.readReply(toHead: method == "HEAD")
                    #expect(reply.status == 304 && reply.fields["etag"] == tag && reply.fields["vary"] == "Accept")
                    #expect(reply.fields["transfer-encoding"] == nil && reply.body.isEmpty)
                }
                try connection.send(TestRequest("GET", Self.target, [("if-none-match", "\"x\"")]).bytes)
                #expect(try connection.readReply().status == 200)
            }
        }
    }

    @Test("a tag changes with the range and with nothing else")
    func changes() async throws {
        try await TestServer.run { server in
            _ = try await server.post([0, 10, 20].map(Self.event).joined(separator: "\n"))
            let range = "?start=1361407800000&end=1361408399999"
            let (all, part) = (try await tag(server, ""), try await tag(server, range))
            #expect(all != nil && part != nil && all != part)
            _ = try await server.post(Self.event(30))
            #expect(try await tag(server, range) == part)
            #expect(try await tag(server, "") != all)
            try await server.log.seal()
            #expect(try await tag(server, range) == part)
            _ = try await server.post(Self.event(15))
            #expect(try await tag(server, range) != part)
        }
    }

    @Test("each form and each page has its own; frames have a weak one, followers none")
    func forms() async throws {
        try await TestServer.run { server in
            _ = try await server.post([0, 10, 20].map(Self.event).joined(separator: "\n"))
            var tags: Set<String> = []
            for (query, accept) in [
                ("", "application/json"), ("", "application/x-ndjson"), ("?end=line", "application/x-ndjson"),
                ("?order=arrival", "application/json"), ("?limit=1", "application/json"),
                ("?limit=2", "application/json"), ("?order=arrival", "application/x-lz4"),
            ] {
                let tag = try #require(try await tag(server, query, accept))
                #expect(tags.insert(tag).inserted, "\(query) as \(accept)")
                #expect(tag.hasPrefix("W/") == (accept == "application/x-lz4"))
            }
            let page = try await server.get("\(Self.target)?limit=1")
            let query = try #require(page.next).dropFirst(Self.target.count)
            let next = try #require(try await tag(server, String(query)))
            #expect(tags.insert(next).inserted)
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(TestRequest("GET", "\(Self.target)?follow=1").bytes)
                #expect(try connection.readHead().fields["etag"] == nil)
            }
        }
    }
}
