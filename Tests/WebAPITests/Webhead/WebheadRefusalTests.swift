import Testing

@testable import WebAPI

@Suite("What a webhead does not take")
struct WebheadRefusalTests {
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
