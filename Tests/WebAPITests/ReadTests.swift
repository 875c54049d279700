import LogEngine
import SegmentFormat
import Testing

@testable import WebAPI

@Suite("GET /wsapi/interaction_data")
struct ReadTests {
    private static let target = "/wsapi/interaction_data"

    private static func event(_ number: Int, minute: Int) -> String {
        #"{"timestamp":\#(1_361_407_200_000 + minute * 60_000),"n":\#(number)}"#
    }

    @Test("rows carry id, key and the event with _id and _rev; the trailer ends them")
    func rows() async throws {
        try await TestServer.run { server in
            _ = try await server.post(#"{"timestamp":1361407200001,"a":1}"# + "\n" + #"{"b":2,"timestamp":1361407260}"#)
            let reply = try await server.get(Self.target)
            let ids = (1...2).map { EventID(store: server.log.store, sequence: Sequence($0)).description }
            let lines = [#"{"timestamp":1361407200000,"a":1}"#, #"{"b":2,"timestamp":1361407200}"#]
            let revisions = lines.map { line in
                var line = line
                return line.withUTF8 { xxh3(UnsafeRawBufferPointer($0)) }
            }.map { hash in
                let digits = String(hash, radix: 16)
                return "1-" + String(repeating: "0", count: 16 - digits.count) + digits
            }
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "application/json")
            #expect(reply.fields["trailer"] == "Daybook-Count, Daybook-Cursor, Daybook-XXH3, Daybook-Complete")
            #expect(
                reply.text == """
                    [{"id":"\(ids[0])","key":1361407200000,"value":{"timestamp":1361407200000,"a":1,\
                    "_id":"\(ids[0])","_rev":"\(revisions[0])"}},
                    {"id":"\(ids[1])","key":1361407200,"value":{"b":2,"timestamp":1361407200,\
                    "_id":"\(ids[1])","_rev":"\(revisions[1])"}}]

                    """)
            #expect(reply.trailer["daybook-count"] == "2")
            #expect(reply.trailer["daybook-complete"] == "true")
            #expect(reply.trailer["daybook-cursor"] == nil)
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
        }
    }

    @Test("an empty answer is an empty array, or nothing")
    func empty() async throws {
        try await TestServer.run { server in
            let rows = try await server.get(Self.target)
            #expect(rows.text == "[]\n")
            #expect(rows.trailer["daybook-xxh3"] == digest(rows.body))
            let lines = try await server.get(Self.target, accept: "application/x-ndjson")
            #expect(lines.fields["content-type"] == "application/x-ndjson")
            #expect(lines.body.isEmpty)
            #expect(lines.trailer["daybook-count"] == "0")
        }
    }

    @Test("both ends of a range are in it, and lines come as they were stored")
    func ranges() async throws {
        try await TestServer.run { server in
            let events = [30, 0, 10, 20].map { Self.event($0, minute: $0) }
            _ = try await server.post(events.joined(separator: "\n"))
            let range = "start=1361407800000&end=1361408400000"
            let reply = try await server.get("\(Self.target)?\(range)", accept: "application/x-ndjson")
            #expect(reply.lines == [events[2], events[3]])
            let arrival = try await server.get("\(Self.target)/?order=arrival", accept: "application/x-ndjson")
            #expect(arrival.lines == events)
        }
    }

    @Test("the pages together are everything, in either order", arguments: ["time", "arrival"], [1, 7, 40, 10_000])
    func paging(order: String, limit: Int) async throws {
        try await TestServer.run { server in
            let events = (0..<80).map { Self.event($0, minute: $0 * 37 % 80) }
            _ = try await server.post(events.joined(separator: "\n"))
            var found: [String] = []
            var target: String? = "\(Self.target)?order=\(order)&limit=\(limit)"
            var pages = 0
            while let page = target {
                let reply = try await server.get(page, accept: "application/x-ndjson")
                #expect(reply.trailer["daybook-count"] == String(reply.lines.count))
                #expect((reply.trailer["daybook-cursor"] != nil) == (reply.next != nil))
                found += reply.lines
                target = reply.next
                pages += 1
                if pages == 1 { _ = try await server.post(Self.event(999, minute: 0)) }
            }
            #expect(pages == (80 + limit - 1) / limit)
            let buckets = order == "arrival" ? Array(repeating: 0, count: 80) : (0..<80).map { $0 * 37 % 80 / 10 }
            let expected = (0..<80).sorted { (buckets[$0], $0) < (buckets[$1], $1) }
            #expect(found.map { index($0) } == expected)
        }
    }

    private func index(_ line: String) -> Int {
        Int(line.split(separator: ":").last.map { $0.dropLast() } ?? "") ?? -1
    }

    @Test("a page too large to keep is read twice and is the same")
    func largePage() async throws {
        try await TestServer.run { server in
            try await server.append(12, bytes: 900_000)
            let reply = try await server.get("\(Self.target)?limit=11")
            #expect(reply.trailer["daybook-count"] == "11")
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
            let next = try #require(reply.next)
            #expect(try await server.get(next).trailer["daybook-count"] == "1")
        }
    }

    @Test("a cursor of another query is refused")
    func foreignCursor() async throws {
        try await TestServer.run { server in
            _ = try await server.post((0..<3).map { Self.event($0, minute: 0) }.joined(separator: "\n"))
            let next = try #require(try await server.get("\(Self.target)?limit=1").next)
            #expect(try await server.get(next + "&end=1361407200000").status == 400)
        }
    }

    @Test(
        "bad parameters are 400 and name the parameter",
        arguments: ["start=x", "end=-1", "start=2&end=1", "limit=0", "order=no", "cursor=no", "follow=maybe"])
    func badParameters(query: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.get("\(Self.target)?\(query)")
            #expect(reply.status == 400)
            #expect(reply.fields["content-type"] == "application/problem+json")
            #expect(reply.text.contains(#""parameter":"\#(query.prefix { $0 != "=" })"#))
        }
    }

    @Test("one event by its id, with or without a slash before the query")
    func byID() async throws {
        try await TestServer.run { server in
            _ = try await server.post(#"{"timestamp":1361407200000,"a":1}"#)
            let id = EventID(store: server.log.store, sequence: .first).description
            for path in [Self.target, Self.target + "/"] {
                let reply = try await server.get("\(path)?id=\(id)")
                #expect(reply.status == 200)
                #expect(reply.fields["content-type"] == "application/json")
                #expect(reply.text.hasPrefix(#"{"results":{"timestamp":1361407200000,"a":1,"_id":"\#(id)","_rev":"1-"#))
                #expect(reply.text.hasSuffix("\"}}\n"))
            }
        }
    }

    @Test("an id that is no event's is 404", arguments: ["", "x", "00000000000000000000000000000001", "zz"])
    func noSuchID(id: String) async throws {
        try await TestServer.run { server in
            _ = try await server.post(#"{"timestamp":1361407200000}"#)
            let store = EventID(store: server.log.store, sequence: Sequence(99)).description
            for id in [id, store] {
                let reply = try await server.get("\(Self.target)?id=\(id)")
                #expect(reply.status == 404)
                #expect(reply.text == #"{"error":"Not found"}"# + "\n")
            }
        }
    }

    @Test("an Accept that nothing suits is 406")
    func notAcceptable() async throws {
        try await TestServer.run { server in
            let reply = try await server.get(Self.target, accept: "text/html")
            #expect(reply.status == 406)
        }
    }

    @Test("HEAD has the fields and no body, and the connection goes on")
    func head() async throws {
        try await TestServer.run { server in
            _ = try await server.post(#"{"timestamp":1361407200000}"#)
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(TestRequest("HEAD", Self.target).bytes + TestRequest("HEAD", "/wsapi/ping").bytes)
                try connection.send(TestRequest("GET", "/wsapi/ping").bytes)
                let events = try connection.readHead()
                #expect(events.status == 200)
                #expect(events.fields["transfer-encoding"] == "chunked")
                #expect(try connection.readHead().fields["content-length"] == "4")
                #expect(try connection.readReply().text == "pong")
            }
        }
    }
}

/// The XXH3-128 of a body, as the trailer has it.
func digest(_ body: [UInt8]) -> String {
    let hash = RunningHash()
    hash.update(body)
    return hash.wide.hex
}
