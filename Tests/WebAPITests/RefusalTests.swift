import LogEngine
import TestSupport
import Testing

@testable import WebAPI

/// What a store that has no room for now answers, however the events are sent.
@Suite("refusals for now")
struct RefusalTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"
    private static let posts = [
        ("application/x-ndjson", event), ("application/x-www-form-urlencoded", "data=\(event)"),
        ("application/json", #"{"data":[\#(event)]}"#),
    ]

    private static func expectRefusal(
        _ post: (String, String), _ status: Int, _ reason: String, retryAfter: String, _ server: TestServer
    ) async throws {
        let reply = try await server.post(post.1, [("content-type", post.0)])
        #expect(reply.status == status)
        #expect(reply.fields["content-type"] == "application/problem+json")
        #expect(reply.text.contains(#""reason":"\#(reason)""#))
        #expect(reply.fields["retry-after"] == retryAfter)
    }

    @Test("too much in flight is 503 for a second", arguments: posts)
    func busy(post: (String, String)) async throws {
        try await TestServer.run { server in
            let log = server.log
            let all = try await log.admit(Bounds.inFlightBytes)
            try await withThrowingTaskGroup(of: Bool.self) { waiting in
                for _ in 0...Bounds.waitingAppends {
                    waiting.addTask {
                        do {
                            try await log.admit(1).release()
                            return true
                        } catch { return false }
                    }
                }
                // The one for whom the line is too long comes out first; the others stand in it.
                #expect(try await waiting.next() == false)
                try await Self.expectRefusal(post, 503, "busy", retryAfter: "1", server)
                #expect(server.counters.refused["busy"] == .init(requests: 1, events: 0))
                all.release()
                while let wasLetIn = try await waiting.next() { #expect(wasLetIn) }
            }
            #expect(try await server.post(post.1, [("content-type", post.0)]).status == 201)
        }
    }

    @Test("a full disk is 507 for a minute, then all is well", arguments: posts)
    func noSpace(post: (String, String)) async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            disk.freeBytes = 0
            try await Self.expectRefusal(post, 507, "no_space", retryAfter: "60", server)
            #expect(server.counters.refused["no_space"] == .init(requests: 1, events: 1))
            #expect(try await server.get("/wsapi/interaction_data/count").text == "0")
            disk.freeBytes = 1 << 30
            #expect(try await server.post(post.1, [("content-type", post.0)]).status == 201)
        }
    }

    @Test("a log that writes no more is 503 for a minute", arguments: posts)
    func poisoned(post: (String, String)) async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            #expect(try await server.post(Self.event).status == 500)
            try await Self.expectRefusal(post, 503, "poisoned", retryAfter: "60", server)
            #expect(server.counters.refused["poisoned"] == .init(requests: 1, events: 0))
        }
    }
}
