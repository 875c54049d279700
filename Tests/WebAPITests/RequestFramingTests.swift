import TestSupport
import Testing

@testable import WebAPI

@Suite("framing of requests")
struct RequestFramingTests {
    private static let event = #"{"timestamp":1361407200000}"#
    private static let ping = "GET /wsapi/ping HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

    private static func statuses(_ server: TestServer, _ text: String) async throws -> [Int] {
        try await RawConnection.statuses(from: server.port, to: text)
    }

    private static func post(_ fields: String) -> String {
        "POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n\(fields)\r\n\r\n"
    }

    @Test(
        "a transfer coding that the parser overlooks is refused, and nothing behind it is read",
        arguments: [
            "transfer-encoding: ", "transfer-encoding: \r\ncontent-length: \(event.utf8.count)",
            "transfer-encoding:\r\ntransfer-encoding:",
        ])
    func overlooked(fields: String) async throws {
        try await TestServer.run { server in
            let statuses = try await Self.statuses(server, Self.post(fields) + Self.event + Self.ping)
            #expect(statuses == [400])
            #expect(server.counters.refused["bad_framing"]?.requests == 1)
            #expect(server.counters.accepted == 0)
        }
    }

    @Test(
        "who asks for another protocol is answered in this one, and has to come again",
        arguments: [
            "connection: upgrade\r\nupgrade: websocket", "connection: keep-alive, Upgrade\r\nupgrade: h2c",
            "connection: Upgrade \r\nupgrade: TLS/1.3",
        ])
    func otherProtocol(fields: String) async throws {
        try await TestServer.run { server in
            let head = Self.post("content-length: \(Self.event.utf8.count)\r\n\(fields)")
            let posted = try await Self.statuses(server, head + Self.event + Self.ping)
            #expect(posted == [201])
            let get = "GET /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\n\(fields)\r\n\r\n"
            #expect(try await Self.statuses(server, get + Self.ping) == [200])
            #expect(try await Self.statuses(server, "CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n" + Self.ping) == [400])
        }
    }

    @Test("an upgrade that the connection does not name is nothing")
    func notNamed() async throws {
        try await TestServer.run { server in
            let get = "GET /wsapi/ping HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\n\r\n"
            let statuses = try await Self.statuses(server, get + Self.ping)
            #expect(statuses == [200, 200])
        }
    }
}
