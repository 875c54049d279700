import Interactions
import LogEngine
import TestSupport
import Testing

@testable import WebAPI

/// What a browser sees does not depend on who answers it.
@Suite("plain requests of browsers")
struct PlainBrowsersTests {
    private static let blob = #"{"timestamp":1795168800000,"lang":"en"}"#
    private static let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

    private enum Way: CaseIterable {
        /// Ahead of the parser.
        case plain
        case parsed

        /// What no plain request has.
        var mark: [(String, String)] { self == .plain ? [] : [("x-mark", "\u{E9}")] }
    }

    private static func post(_ jar: TestWebhead.Jar?, _ data: String, _ fields: [(String, String)] = []) -> TestRequest
    {
        let cookie = jar.map { [("cookie", "a=b; \($0.cookie)")] } ?? []
        let type = fields.contains { $0.0 == "content-type" } ? [] : [("content-type", "application/json")]
        let body = #"{"data":\#(data),"csrf":"\#(jar?.token ?? "")"}"#
        return TestRequest("POST", "/wsapi/interaction_data", cookie + type + fields, body: body)
    }

    /// Answers without what is never the same, and what was counted at the end.
    private static func transcript(_ way: Way) async throws -> [String] {
        var options = WebheadOptions()
        options.origins = ["https://a.test"]
        let disk = VirtualDisk()
        var told: [String] = []
        try await TestWebhead.run(on: disk, at: "/spool", options) { webhead in
            let jar = try await webhead.session()
            func tell(_ request: TestRequest) async throws {
                var request = request
                request.fields += way.mark
                var reply = try await webhead.ask(request)
                for name in ["date", "x-request-id"] { reply.fields[name] = reply.fields[name].map { _ in "" } }
                let fields = reply.fields.map { "\($0): \($1)" }.sorted().joined(separator: ", ")
                told.append("\(reply.status) \(fields) \(reply.text)")
            }
            let cookie = [("cookie", jar.cookie)]
            for fields in [[], cookie, cookie + [("user-agent", firefox), ("origin", "https://a.test")]] {
                try await tell(TestRequest("GET", "/wsapi/session_context", fields))
            }
            for data in [blob, "[\(blob),[\(blob)]]", "[]", "{", "1", #"{"timestamp":"x"}"#] {
                try await tell(post(jar, data, [("user-agent", firefox)]))
            }
            let other = TestWebhead.Jar(cookie: jar.cookie, token: "AAAAAAAAAAAAAAAAAAAAAA")
            for jar in [nil, other] { try await tell(post(jar, blob)) }
            for fields in [
                [("content-type", "text/plain;charset=UTF-8")], [("content-type", "text/html")], [("origin", "null")],
                [("origin", "https://a.test")], [("DNT", "1")], [("Sec-GPC", "1")], [("cookie", "daybook_opt_out=1")],
            ] {
                try await tell(post(jar, blob, fields))
            }
            webhead.state.isFull.withLock { $0 = true }
            try await tell(post(jar, blob))
            webhead.state.isFull.withLock { $0 = false }
            disk.freeBytes = 0
            try await tell(post(jar, blob))
            disk.freeBytes = 1 << 30
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            try await tell(post(jar, blob))
            told += webhead.dropped.map { "\($0): \($1)" }.sorted()
            told.append("\(webhead.shared.metrics.counters.accepted)")
        }
        return told
    }

    @Test("every answer is the same on both ways, and so is what is counted")
    func sameAnswers() async throws {
        let plain = try await Self.transcript(.plain)
        #expect(plain == (try await Self.transcript(.parsed)))
        #expect(plain.last == "6")
        let statuses = Set(plain.filter { $0.contains("date: ") }.compactMap { Int($0.prefix(3)) })
        #expect(statuses == [200, 400, 403, 415, 503, 507])
    }

    @Test("a context and posts that come at once are answered in their order, on both ways in turn")
    func pipelined() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            let context = TestRequest("GET", "/wsapi/session_context", [("cookie", jar.cookie)])
            var requests = [context, Self.post(jar, Self.blob), Self.post(nil, Self.blob), Self.post(jar, Self.blob)]
            requests.append(TestRequest("GET", "/wsapi/ping"))
            requests += [Self.post(jar, Self.blob), context]
            let bytes = requests.flatMap(\.bytes)
            let replies = try await Blocking.run {
                let connection = try RawConnection(webhead.port)
                try connection.send(bytes)
                return try (0..<7).map { _ in try connection.readReply() }
            }
            #expect(replies.map(\.status) == [200, 200, 403, 200, 200, 200, 200])
            #expect(
                replies[0].text.contains(jar.token) && replies[4].text == "pong" && replies[6].text == replies[0].text)
            #expect(try webhead.lines.count == 3)
        }
    }

    @Test("those for who run it answer no browser")
    func operators() async throws {
        try await TestWebhead.run(isForOperators: true) { webhead in
            let reply = try await webhead.ask(TestRequest("GET", "/wsapi/session_context"))
            #expect(reply.status == 404)
        }
    }
}
