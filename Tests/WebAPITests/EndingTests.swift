import HTTPTypes
import Testing

@testable import WebAPI

@Suite("how an answer ends")
struct EndingTests {
    private static let target = "/wsapi/interaction_data"
    private static let lines = [#"{"timestamp":1361407200000}"#, #"{"timestamp":1361407800000}"#]
    private static let body = Array(lines.map { $0 + "\n" }.joined().utf8)

    private func serve(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.run { server in
            _ = try await server.post(Self.lines.joined(separator: "\n"))
            try await body(server)
        }
    }

    @Test(
        "end=line says in the body what the trailer says",
        arguments: ["end=line", "start=1&end=line&end=1361407800000"])
    func endLine(query: String) async throws {
        try await serve { server in
            let reply = try await server.get("\(Self.target)?\(query)", accept: "application/x-ndjson")
            #expect(reply.lines.dropLast() == Self.lines[...])
            let hash = digest(Self.body)
            #expect(reply.lines.last == #"{"daybook":{"count":2,"cursor":null,"xxh3":"\#(hash)","complete":true}}"#)
            #expect(reply.trailer["daybook-xxh3"] == hash)
        }
    }

    @Test("it carries the cursor of a page, from which the next one goes on")
    func endLineOfPage() async throws {
        try await serve { server in
            let reply = try await server.get("\(Self.target)?limit=1&end=line", accept: "application/x-ndjson")
            let cursor = try #require(reply.trailer["daybook-cursor"])
            #expect(reply.lines.last?.contains(#""cursor":"\#(cursor)""#) == true)
            let next = try #require(reply.next)
            let rest = try await server.get(next, accept: "application/x-ndjson")
            #expect(rest.lines.first == Self.lines[1] && rest.lines.count == 2)
        }
    }

    @Test(
        "a last line does not go with rows, and start has none", arguments: ["end=line", "start=line", "end=1&end=2"])
    func refused(query: String) async throws {
        try await serve { server in
            let reply = try await server.get("\(Self.target)?\(query)")
            #expect(reply.status == 400)
        }
    }

    @Test(
        "TE chooses the trailer",
        arguments: [
            (nil, true), ("trailers", true), ("gzip, trailers;q=0.5", true), ("TRAILERS", true), ("gzip", false),
            ("trailers;q=0", false), ("trailers; q=0.000", false), ("", false),
        ] as [(String?, Bool)])
    func trailers(te: String?, hasTrailer: Bool) async throws {
        try await serve { server in
            let reply = try await server.ask(TestRequest("GET", Self.target, te.map { [("te", $0)] } ?? []))
            #expect((reply.fields["trailer"] != nil) == hasTrailer)
            #expect((reply.trailer["daybook-count"] == "2") == hasTrailer)
        }
    }
}
