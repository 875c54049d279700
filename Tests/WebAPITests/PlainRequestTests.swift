import Testing

@testable import WebAPI

@Suite("PlainRequest")
struct PlainRequestTests {
    private static let line = "POST /wsapi/interaction_data HTTP/1.1\r\n"
    private static let fields = "Host: a\r\nContent-Type: application/x-ndjson\r\nContent-Length: 2\r\n"
    private static let plain = line + fields + "\r\n{}"

    private static let form = PlainForm(.post, "/wsapi/interaction_data", type: "application/x-ndjson")

    private static func find(
        _ text: String, _ form: PlainForm = form, _ limits: ConnectionLimits = ConnectionLimits(),
        byteLimit: Int = 32 << 10
    ) -> PlainRequest? {
        Array(text.utf8).withUnsafeBytes { PlainRequest($0, form, limits, byteLimit: byteLimit) }
    }

    @Test("one is found with its length, whatever follows it")
    func found() {
        for rest in ["", "\r\n", "POST", "\u{0}"] {
            let post = Self.find(Self.plain + rest)
            #expect(post?.headBytes == Self.plain.utf8.count - 2)
            #expect(post?.bodyBytes == 2)
        }
    }

    @Test("its header is told as the parser would tell it")
    func head() throws {
        let text = Self.line + Self.fields + "Authorization:  Bearer a.b \r\nX-Empty:\r\n\r\n{}"
        let head = try Array(text.utf8).withUnsafeBytes { bytes in
            try #require(PlainRequest(bytes, Self.form, ConnectionLimits(), byteLimit: 2)).head(Self.form, in: bytes)
        }
        #expect(head.method == .post)
        #expect(head.path == "/wsapi/interaction_data")
        #expect(head.authority == "a")
        #expect(
            head.headerFields.map { "\($0.name.canonicalName): \($0.value)" } == [
                "content-type: application/x-ndjson", "content-length: 2", "authorization: Bearer a.b",
                "x-empty: ",
            ])
    }

    @Test("a body beyond what this server takes is none")
    func byteLimit() {
        #expect(Self.find(Self.plain, byteLimit: 1) == nil)
    }

    @Test("a part of one is none")
    func cut() {
        for count in 0..<Self.plain.utf8.count {
            #expect(Self.find(String(decoding: Self.plain.utf8.prefix(count), as: UTF8.self)) == nil, "\(count)")
        }
    }

    @Test("fields that change nothing may be there, in any case and with blanks around their values")
    func ignored() {
        for more in [
            "User-Agent: \t wrk (x; y) \t\r\n", "connection: Keep-Alive\r\n", "X-Empty:\r\n", "Accept:*/*\r\n",
            "!#$%&'*+-.^_`|~09azAZ: x\r\n",
        ] {
            #expect(Self.find(Self.line + more + Self.fields + "\r\n{}") != nil, "\(more)")
            #expect(Self.find(Self.line + Self.fields + more + "\r\n{}") != nil, "\(more)")
        }
        let shouted = Self.fields.uppercased().replacing("APPLICATION/X-NDJSON", with: "Application/X-NDJSON")
        #expect(Self.find(Self.line + shouted + "\r\n{}") != nil)
    }

    @Test("what readers might cut in different ways, or what means something else, is none")
    func others() {
        for more in [
            "Content-Length: 2\r\n", "content-length: 3\r\n", "Host: b\r\n", "Content-Type: application/x-ndjson\r\n",
            "Transfer-Encoding: chunked\r\n", "transfer-encoding:\r\n", "Expect: 100-continue\r\n", "Upgrade: h2c\r\n",
            "Connection: close\r\n", "Connection: upgrade\r\n", "Connection: keep-alive, TE\r\n",
            "Content-Encoding: gzip\r\n", "Idempotency-Key: a\r\n", "Daybook-Delivery: a/1/2\r\n", "Trailer: x\r\n",
            "X : y\r\n", " X: y\r\n",
            "X: y\r\n z\r\n", "X: y\n", "X: y\r\r\n", "X: \u{0}\r\n", "X: \u{7F}\r\n", "X: \u{E9}\r\n", ": x\r\n",
            "X\r\n", "X\u{E9}: y\r\n", "\n", "(X): y\r\n", "X: a\rb\r\n",
        ] {
            #expect(Self.find(Self.line + Self.fields + more + "\r\n{}") == nil, "\(more)")
            #expect(Self.find(Self.line + more + Self.fields + "\r\n{}") == nil, "\(more)")
        }
        for line in [
            "post /wsapi/interaction_data HTTP/1.1\r\n", "POST  /wsapi/interaction_data HTTP/1.1\r\n",
            "POST /wsapi/interaction_data?on_error=skip HTTP/1.1\r\n", "POST /wsapi/interaction_data HTTP/1.0\r\n",
            "POST /wsapi/interaction_data HTTP/1.1\n", "PUT /wsapi/interaction_data HTTP/1.1\r\n", "\r\n" + Self.line,
            "POST http://a/wsapi/interaction_data HTTP/1.1\r\n", "",
        ] {
            #expect(Self.find(line + Self.fields + "\r\n{}") == nil, "\(line)")
        }
    }

    @Test("there is one of each field that is needed", arguments: ["Host", "Content-Type", "Content-Length"])
    func needed(name: String) {
        let fields = Self.fields.split(separator: "\r\n").filter { !$0.hasPrefix(name + ":") }
        #expect(Self.find(Self.line + fields.joined(separator: "\r\n") + "\r\n\r\n{}") == nil)
    }

    @Test("a length is up to six digits, of at most 32 KiB")
    func lengths() {
        let body = String(repeating: " ", count: 40_000)
        func length(_ text: String) -> Int? {
            Self.find(Self.line + Self.fields.replacing("Length: 2", with: "Length: \(text)") + "\r\n" + body)?
                .bodyBytes
        }
        for (text, count) in [("0", 0), ("007", 7), ("32768", 32_768)] { #expect(length(text) == count) }
        for text in ["32769", "+2", "-2", "2,2", "2 2", "0x2", "0000002", "", "2.0", "999999"] {
            #expect(length(text) == nil, "\(text)")
        }
    }

    @Test("other types are none, and so is one with parameters")
    func types() {
        for type in ["application/json", "application/x-ndjson; charset=utf-8", "application/x-ndjsons", ""] {
            #expect(Self.find(Self.plain.replacing("application/x-ndjson", with: type)) == nil, "\(type)")
        }
    }

    @Test("a form without a type takes any, or none")
    func anyType() {
        let form = PlainForm(.post, "/wsapi/interaction_data")
        for type in ["Content-Type: text/plain;charset=UTF-8\r\n", ""] {
            #expect(Self.find(Self.line + "Host: a\r\nContent-Length: 2\r\n\(type)\r\n{}", form)?.bodyBytes == 2)
        }
    }

    @Test("a GET has no body, and no length of one")
    func get() {
        let form = PlainForm(.get, "/wsapi/session_context")
        let line = "GET /wsapi/session_context HTTP/1.1\r\nHost: a\r\n"
        let found = Self.find(line + "Cookie: a=b\r\n\r\nrest", form)
        #expect(found?.byteCount == line.utf8.count + 15 && found?.bodyBytes == 0)
        for more in ["Content-Length: 0\r\n", "Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"] {
            #expect(Self.find(line + more + "\r\n", form) == nil, "\(more)")
        }
    }

    @Test("a header at the limits is one, beyond them none")
    func limits() throws {
        var limits = ConnectionLimits()
        limits.headerBytes = try #require(Self.find(Self.plain)?.headBytes)
        limits.headerFields = 3
        #expect(Self.find(Self.plain, Self.form, limits) != nil)
        limits.headerBytes -= 1
        #expect(Self.find(Self.plain, Self.form, limits) == nil)
        (limits.headerBytes, limits.headerFields) = (32 << 10, 2)
        #expect(Self.find(Self.plain, Self.form, limits) == nil)
    }
}
