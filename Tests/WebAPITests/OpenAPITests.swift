import Foundation
import LogEngine
import Testing

@testable import WebAPI

@Suite("openapi.json")
struct OpenAPITests {
    private static let stored = [
        #"{"timestamp":1361408400000,"lang":"en"}"#, #"{"timestamp":1361407200000,"lang":"fr"}"#,
        #"{"timestamp":1361409000000,"lang":"de"}"#,
    ]

    private static func examples() throws -> [APIExample] { try APIDocument.shipped().examples }

    @Test("each example is what happens in a store of three events", arguments: try examples())
    func example(_ example: APIExample) async throws {
        #expect(example.answers.count == 1 && example.bodies.count <= 1, "one request and one answer")
        let answer = try #require(example.answers.first)
        try await TestServer.run { server in
            for event in Self.stored { _ = try await server.post(event) }
            let store = String(EventID(store: server.log.store, sequence: .first).description.prefix(16))
            let reply = try await Self.answer(example.request(store: store), server)
            #expect(reply.status == answer.status)
            #expect(MediaType.essence(of: reply.fields["content-type"] ?? "") == answer.type)
            guard let text = answer.text else { return }
            let expected = text.replacingOccurrences(of: "{store}", with: store)
            #expect(try Self.text(reply, answer.type) == expected)
        }
    }

    /// Of an answer that never ends, the first chunk.
    private static func answer(_ request: TestRequest, _ server: TestServer) async throws -> Reply {
        guard request.target.contains("/stream") else { return try await server.ask(request) }
        let port = server.port
        return try await Blocking.run {
            let connection = try RawConnection(port)
            try connection.send(request.bytes)
            var reply = try connection.readHead()
            reply.body = try connection.readChunk()
            return reply
        }
    }

    private static func text(_ reply: Reply, _ type: String) throws -> String {
        guard type.hasSuffix("json"), type != MediaType.ndjson else { return reply.text }
        let value = try JSONSerialization.jsonObject(with: Data(reply.body), options: .fragmentsAllowed)
        return APIExample.text(value, type)
    }

    @Test("there are examples of each way to send, to read and to be refused")
    func examplesExist() throws {
        let statuses = try Self.examples().compactMap { $0.answers.first.map { "\($0.status) \($0.type)" } }
        for wanted in [
            "201 application/json", "201 text/plain", "400 application/problem+json", "400 text/plain",
            "200 application/json", "200 application/x-ndjson", "200 application/x-lz4", "404 application/json",
            "406 application/problem+json", "200 text/plain",
        ] { #expect(statuses.contains(wanted), "\(wanted)") }
    }

    @Test("it is served, is JSON, and all that it refers to is there")
    func isWhole() async throws {
        try await TestServer.run { server in
            let reply = try await server.get("/openapi.json")
            #expect(reply.status == 200 && reply.fields["content-type"] == "application/json")
            let document = try APIDocument(reply.body)
            #expect(document.root["openapi"] as? String == "3.1.0")
            #expect(!document.references.isEmpty)
            for reference in document.references { #expect(document.resolve(reference) != nil, "\(reference)") }
        }
    }

    @Test("its paths and methods are those that are served, no more and no fewer")
    func paths() async throws {
        let operations = Dictionary(grouping: try APIDocument.shipped().operations, by: \.path)
        #expect(Set(operations.keys) == Set(Route.paths.keys))
        try await TestServer.run { server in
            for (path, operations) in operations {
                let methods = (operations.map(\.method) + ["HEAD", "OPTIONS"]).sorted().joined(separator: ", ")
                let reply = try await server.ask(TestRequest("OPTIONS", path))
                #expect(reply.fields["allow"] == methods, "\(path)")
            }
        }
    }
}
