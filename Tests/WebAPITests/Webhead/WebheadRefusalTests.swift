import Interactions
import TestSupport
import Testing

@testable import WebAPI

@Suite("What a webhead does not take")
struct WebheadRefusalTests {
    private static let blobs = #"[{"timestamp":1795168800000},[{"timestamp":1795168800000}]]"#

    @Test("blobs of a session that are not stored are counted under the reason of their post")
    func counts() async throws {
        let disk = VirtualDisk()
        try await TestWebhead.run(on: disk, at: "/data") { webhead in
            let jar = try await webhead.session()
            #expect(try await webhead.post(Self.blobs, .init(cookie: jar.cookie, token: "")).status == 400)
            #expect(try await webhead.post(#"[{},{},{"lang":7}]"#, jar).status == 400)
            let many = "[" + String(repeating: "{},", count: BlobIntake.mostBlobs) + "{}]"
            #expect(try await webhead.post(many, jar).status == 413)
            webhead.state.isFull.withLock { $0 = true }
            #expect(try await webhead.post(Self.blobs, jar).status == 507)
            webhead.state.isFull.withLock { $0 = false }
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            for _ in 0..<2 { #expect(try await webhead.post(Self.blobs, jar).status == 503) }
            let refused = webhead.shared.metrics.counters.refused.mapValues(\.events)
            let events = ["csrf_violation": 0, "bad_field": 3, "too_many_blobs": 1_001, "spool_full": 2, "poisoned": 4]
            #expect(refused == events)
        }
    }

    @Test("those of a session outside the sample are, too")
    func sampledOut() async throws {
        var options = WebheadOptions()
        options.sample = try #require(SessionSample(rate: 0))
        try await TestWebhead.run(options) { webhead in
            let jar = try await webhead.session()
            #expect(try await webhead.post(Self.blobs, jar).status == 200)
            #expect(webhead.shared.metrics.counters.refused["sampled_out"]?.events == 2)
        }
    }

    @Test("the limits of a client hold for paths that there are not")
    func limits() async throws {
        let requests = RequestLimits(rate: .init(perSecond: 1, burst: 2))
        try await TestWebhead.run(requests: requests) { webhead in
            let targets = ["/nothing", "/metrics", "/wsapi/../..", "/wsapi/ping"]
            var statuses: [Int] = []
            for target in targets { statuses.append(try await webhead.ask(TestRequest("GET", target)).status) }
            #expect(statuses == [404, 404, 429, 429])
        }
    }

    @Test("a transfer coding that the parser overlooks is refused, and nothing behind it is read")
    func framing() async throws {
        try await TestWebhead.run { webhead in
            let post = "POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \r\n\r\n"
            let ping = "GET /wsapi/ping HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
            let statuses = try await RawConnection.statuses(from: webhead.port, to: post + ping)
            #expect(statuses == [400])
            #expect(webhead.dropped == ["bad_framing": 1])
        }
    }

    @Test("who asks for another protocol is answered in this one, and has to come again")
    func otherProtocol() async throws {
        try await TestWebhead.run { webhead in
            let ping = "GET /wsapi/ping HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
            let statuses = try await RawConnection.statuses(from: webhead.port, to: ping + ping)
            #expect(statuses == [200])
        }
    }
}
