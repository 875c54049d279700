import Testing

@testable import WebAPI

/// What the tests of the original store do: events a millisecond apart, in a store that rounds nothing.
@Suite("the original's own tests")
struct OriginalStoreTests {
    private static let target = "/wsapi/interaction_data"
    private static let start = 1_361_407_200_123
    private static let events = (0...100).map {
        #"{"timestamp":\#(start + $0),"event_stream":[],"number_emails":\#($0)}"#
    }

    private static func post(_ data: String, _ server: TestServer) async throws -> Reply {
        try await server.ask(
            TestRequest(
                "POST", target, [("content-type", "application/x-www-form-urlencoded")], body: "data=\(data)"))
    }

    /// 101 events by way of forms, the last one first: one a form, or all as a list.
    private static func serve(asList: Bool, _ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.run(resolution: .oneMillisecond) { server in
            let posts = asList ? ["[\(events.reversed().joined(separator: ","))]"] : events.reversed()
            for data in posts {
                let reply = try await post(data, server)
                #expect(reply.status == 201 && reply.text == "ok")
            }
            try await body(server)
        }
    }

    private static func values(of key: String, _ rows: Reply) -> [String] {
        rows.lines.compactMap { row in
            row.split(separator: #""\#(key)":"#).dropFirst().first.map { String($0.prefix { $0 != "," }) }
        }
    }

    @Test("ranges to the millisecond, both ends in, in order of time", arguments: [false, true])
    func ranges(asList: Bool) async throws {
        try await Self.serve(asList: asList) { server in
            let all = Self.start...Self.start + 100
            for (query, found) in [
                ("", all), ("?start=\(all.lowerBound)&end=\(all.upperBound)", all),
                ("?start=\(all.lowerBound)&end=\(all.lowerBound + 9)", all.lowerBound...all.lowerBound + 9),
                ("?start=\(all.upperBound - 9)", all.upperBound - 9...all.upperBound),
                ("?end=\(all.lowerBound + 9)", all.lowerBound...all.lowerBound + 9),
                ("?start=\(all.lowerBound + 50)&end=\(all.lowerBound + 50)", all.lowerBound + 50...all.lowerBound + 50),
            ] {
                let rows = try await server.get(Self.target + query)
                #expect(Self.values(of: "key", rows) == found.map(String.init), "\(query)")
                #expect(Set(Self.values(of: "id", rows)).count == found.count, "\(query)")
                #expect(try await server.get("\(Self.target)/count\(query)").text == String(found.count), "\(query)")
            }
            #expect(try await server.get("\(Self.target)?start=\(all.upperBound + 1)").text == "[]\n")
        }
    }

    @Test("each row is found again by its id, and the last is the latest", arguments: [false, true])
    func rows(asList: Bool) async throws {
        try await Self.serve(asList: asList) { server in
            let ids = Self.values(of: "id", try await server.get(Self.target)).map { $0.filter { $0 != "\"" } }
            for (id, event) in zip(ids, Self.events) {
                let reply = try await server.get("\(Self.target)/?id=\(id)")
                #expect(reply.text.hasPrefix(#"{"results":\#(event.dropLast()),"_id":"\#(id)","_rev":"1-"#))
            }
            let last = try await server.get("\(Self.target)/last")
            #expect(Self.values(of: "key", last) == [String(Self.start + 100)])
        }
    }

    @Test("a follower sees what a form brings as soon as it is stored")
    func follower() async throws {
        try await TestServer.run(resolution: .oneMillisecond) { server in
            let port = server.port
            let connection = try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(TestRequest("GET", "\(Self.target)/stream").bytes)
                #expect(try connection.readHead().status == 200)
                return connection
            }
            for event in Self.events.prefix(3) {
                #expect(try await Self.post(event, server).status == 201)
                let change = String(decoding: try await Blocking.run { try connection.readChunk() }, as: UTF8.self)
                #expect(change.hasSuffix(#","doc":\#(event)}"# + "\r\n"))
            }
        }
    }
}
