import Foundation
import TestSupport
import Testing

@testable import WebAPI

@Suite("openapi.json of user metadata")
struct UserAPITests {
    private static let entry =
        #"{"username":"ann","type":"login","service":"imap","timestamp":"2026-11-20T10:23:45Z","#
        + #""device_info":{"id":"d1","remote_zone":"DE","browser":"Firefox"}}"#
    private static let login = #"{"username":"ann","service":"imap","timestamp":"2026-11-20T10:23:45Z"}"#

    private static func document() throws -> APIDocument { try APIDocument(PackageResources.openapi_users_json) }
    private static func examples() throws -> [APIExample] { try document().examples }

    @Test("each example is what happens in a store with a login of ann", arguments: try examples())
    func example(_ example: APIExample) async throws {
        #expect(example.answers.count == 1 && example.bodies.count <= 1, "one request and one answer")
        let answer = try #require(example.answers.first)
        try await UserServer.run { server in
            #expect(try await server.call("add_log", Self.entry).status == 200)
            #expect(try await server.call("set_last_login", Self.login).status == 200)
            let reply = try await server.ask(example.request(store: ""))
            #expect(reply.status == answer.status)
            #expect(MediaType.essence(of: reply.fields["content-type"] ?? "") == answer.type)
            guard let text = answer.text else { return }
            #expect(try Self.text(reply, answer.type) == text)
        }
    }

    /// The digits of device ids depend on the key.
    private static func text(_ reply: Reply, _ type: String) throws -> String {
        guard type.hasSuffix("json") else { return reply.text }
        let value = try JSONSerialization.jsonObject(with: Data(reply.body), options: .fragmentsAllowed)
        return APIExample.text(value, type).replacing(/[0-9a-f]{32}/, with: "{device}")
    }

    @Test("it is served, with an example of each call, and all that it refers to is there")
    func isWhole() async throws {
        try await UserServer.run { server in
            let reply = try await server.ask(TestRequest("GET", "/openapi.json"))
            #expect(reply.status == 200 && reply.fields["content-type"] == "application/json")
            let document = try APIDocument(reply.body)
            #expect(document.root["openapi"] as? String == "3.1.0")
            for reference in document.references { #expect(document.resolve(reference) != nil, "\(reference)") }
            let paths = Set(document.examples.filter { $0.answers.first?.status == 200 }.map(\.path))
            for call in UserCall.allCases { #expect(paths.contains(call.path), "\(call)") }
        }
    }

    @Test("its paths and methods are those that are served, no more and no fewer")
    func paths() async throws {
        let operations = Dictionary(grouping: try Self.document().operations, by: \.path)
        #expect(Set(operations.keys) == Set(Route.paths(of: .userMetadata).keys).union(UserCall.allCases.map(\.path)))
        try await UserServer.run { server in
            for (path, operations) in operations {
                let isCall = UserCall(path: path) != nil
                let methods = operations.map(\.method) + (isCall ? [] : ["HEAD"]) + ["OPTIONS"]
                let reply = try await server.ask(TestRequest("OPTIONS", path))
                #expect(reply.fields["allow"] == methods.sorted().joined(separator: ", "), "\(path)")
            }
        }
    }
}
