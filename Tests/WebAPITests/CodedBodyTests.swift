import BodyDecoding
import LogEngine
import TestSupport
import Testing

@testable import WebAPI

@Suite("coded request bodies")
struct CodedBodyTests {
    private static let event = #"{"timestamp":1361407200000,"lang":"en"}"#
    private static let forms = [
        ("application/x-ndjson", event + "\n" + event),
        ("application/x-www-form-urlencoded", "data=[\(event),\(event)]"),
        ("application/json", #"{"data":[\#(event),\#(event)]}"#),
    ]
    private static let ndjson = "application/x-ndjson"

    private static func post(
        _ body: [UInt8], _ coding: String?, type: String = ndjson, framing: String? = nil, more: String = ""
    ) -> [UInt8] {
        let fields = [
            "content-type: \(type)", framing ?? "content-length: \(body.count)",
            coding.map { "content-encoding: \($0)" },
        ].compactMap(\.self).joined(separator: "\r\n")
        return Array("POST /wsapi/interaction_data HTTP/1.1\r\nhost: a\r\n\(fields)\r\n\(more)\r\n".utf8) + body
    }

    private static func ask(_ server: TestServer, _ bytes: [UInt8]) async throws -> Reply {
        let port = server.port
        return try await Blocking.run {
            let connection = try RawConnection(port)
            try connection.send(bytes)
            return try connection.readReply()
        }
    }

    private static func stored(_ server: TestServer) async throws -> [String] {
        try await server.get("/wsapi/interaction_data?order=arrival", accept: ndjson).lines
    }

    @Test("each coding is taken with each type", arguments: BodyCoding.allCases, forms)
    func stores(coding: BodyCoding, form: (type: String, body: String)) async throws {
        try await TestServer.run { server in
            let body = Encoder.encode(Array(form.body.utf8), coding)
            let reply = try await Self.ask(server, Self.post(body, coding.rawValue, type: form.type))
            #expect(reply.status == 201)
            #expect(try await Self.stored(server) == [Self.event, Self.event])
            #expect(server.log.health.bytesInFlight == 0)
        }
    }

    @Test(
        "names of codings have no case, and none is none",
        arguments: [
            ("x-gzip", BodyCoding.gzip), ("GZIP", .gzip), ("Zstd", .zstd), (" gzip ,", .gzip), ("identity, lz4", .lz4),
        ])
    func names(name: String, coding: BodyCoding) async throws {
        try await TestServer.run { server in
            let body = Encoder.encode(Array(Self.event.utf8), coding)
            let reply = try await Self.ask(server, Self.post(body, name))
            #expect(reply.status == 201)
            for none in ["", "identity", "identity,Identity"] {
                #expect(try await Self.ask(server, Self.post(Array(Self.event.utf8), none)).status == 201)
            }
            #expect(try await Self.stored(server).count == 4)
        }
    }

    @Test("a large body is decoded as it comes, in chunks that end anywhere", arguments: BodyCoding.allCases)
    func large(coding: BodyCoding) async throws {
        try await TestServer.run { server in
            var random = SeededRandom(seed: 5)
            let lines = (0..<60_000).map { #"{"timestamp":1361407200000,"n":\#($0),"k":\#(random.next())}"# }
            let body = Encoder.encode(Array(lines.joined(separator: "\n").utf8), coding)
            var chunks: [UInt8] = []
            for start in stride(from: 0, to: body.count, by: 70_001) {
                let chunk = body[start..<min(start + 70_001, body.count)]
                chunks += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
            }
            chunks += Array("0\r\n\r\n".utf8)
            let reply = try await Self.ask(
                server, Self.post(chunks, coding.rawValue, framing: "transfer-encoding: chunked"))
            #expect(reply.status == 201 && reply.text.hasPrefix(#"{"accepted":60000,"#))
            #expect(try await Self.stored(server) == lines)
        }
    }

    @Test(
        "other codings, and several, are refused with what would be taken",
        arguments: ["br", "deflate", "gzip, gzip", "lz4,zstd", "*"])
    func unknown(name: String) async throws {
        try await TestServer.run { server in
            let reply = try await Self.ask(server, Self.post(Array(Self.event.utf8), name))
            #expect(reply.status == 415)
            #expect(reply.fields["accept-encoding"] == "gzip, lz4, zstd")
            #expect(reply.fields["connection"] == "close")
            #expect(reply.text.contains(#""reason":"unsupported_coding""#))
            #expect(server.counters.refused["unsupported_coding"]?.requests == 1)
            // RFC 9110 §15.5.16: what is refused for its type does not name codings.
            let other = try await server.post(Self.event, [("content-type", "text/csv")])
            #expect(other.status == 415 && other.fields["accept-encoding"] == nil)
        }
    }

    @Test("what is cut, damaged or followed by something is refused at its byte", arguments: BodyCoding.allCases, forms)
    func damaged(coding: BodyCoding, form: (type: String, body: String)) async throws {
        try await TestServer.run { server in
            let body = Encoder.encode(Array(form.body.utf8), coding)
            let refusals: [(body: [UInt8], reason: String, offset: Int?)] = [
                ([], "coding_truncated", 0), (Array(body.dropLast()), "coding_truncated", nil),
                (Array(form.body.utf8), "coding_corrupt", 0), (body + [0x0A], "coding_trailing", body.count),
                (body.dropLast(3) + body.suffix(3).map { ~$0 }, "coding_corrupt", nil),
            ]
            for refusal in refusals {
                let reply = try await Self.ask(server, Self.post(refusal.body, coding.rawValue, type: form.type))
                #expect(reply.status == 400 && reply.fields["content-type"] == "application/problem+json")
                #expect(reply.text.contains(#""reason":"\#(refusal.reason)""#), "\(reply.text)")
                #expect(reply.text.contains(#""offset":"#) && reply.fields["content-encoding"] == nil)
                if let offset = refusal.offset { #expect(reply.text.hasSuffix(#","offset":\#(offset)}"# + "\n")) }
            }
            #expect(server.counters.refused["coding_truncated"]?.requests == 2)
            #expect(server.counters.refused["coding_corrupt"]?.requests == 2)
            #expect(server.counters.refused["coding_trailing"]?.requests == 1)
            #expect(try await Self.stored(server).isEmpty)
        }
    }

    @Test("a bomb is 413 for its ratio, what is too large for its size", arguments: BodyCoding.allCases)
    func bombs(coding: BodyCoding) async throws {
        try await TestServer.run { server in
            let spaces = [UInt8](repeating: 0x20, count: 16 << 20)
            let bomb = try await Self.ask(server, Self.post(Encoder.encode(spaces, coding), coding.rawValue))
            #expect(bomb.status == 413 && bomb.text.contains(#""reason":"coding_ratio""#))
            #expect(server.counters.refused["coding_ratio"]?.requests == 1)
            // Shrinks to half.
            var random = SeededRandom(seed: 1)
            let words = (0...Bounds.batchBytes / 8).map { _ in random.next() & 0x0F0F_0F0F_0F0F_0F0F }
            let body = words.withUnsafeBytes { Array($0) }
            let large = try await Self.ask(server, Self.post(Encoder.encode(body, coding), coding.rawValue))
            #expect(large.status == 413 && large.text.contains(#""reason":"body_too_large""#), "\(large.text)")
            let small = Array(spaces[..<Bounds.decodingFloor])
            #expect(try await Self.ask(server, Self.post(Encoder.encode(small, coding), coding.rawValue)).status == 201)
            #expect(server.log.health.bytesInFlight == 0)
        }
    }

    @Test("a batch is the same batch in another coding")
    func key() async throws {
        try await TestServer.run { server in
            var replies: [Reply] = []
            for coding in [nil] + BodyCoding.allCases {
                let raw = Array(Self.event.utf8)
                let body = coding.map { Encoder.encode(raw, $0) } ?? raw
                let post = Self.post(body, coding?.rawValue, more: "idempotency-key: k\r\n")
                replies.append(try await Self.ask(server, post))
            }
            #expect(replies.allSatisfy { $0.status == 201 && $0.text == replies[0].text })
            #expect(server.counters.accepted == 1 && server.counters.repeats == 3)
        }
    }

    @Test("the connection goes on behind a coded body, and Expect is answered before it comes")
    func keepsConnection() async throws {
        try await TestServer.run { server in
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                let body = Encoder.encode(Array(Self.event.utf8), .gzip)
                for _ in 0..<2 {
                    let head = Self.post(
                        [], "gzip", framing: "content-length: \(body.count)", more: "expect: 100-continue\r\n")
                    try connection.send(head)
                    #expect(try connection.readHead().status == 100)
                    try connection.send(body)
                    #expect(try connection.readReply().status == 201)
                    try connection.send(Self.post(Array(Self.event.utf8), nil))
                    #expect(try connection.readReply().status == 201)
                    try connection.send(Self.post(Array(body.dropLast()), "gzip"))
                    #expect(try connection.readReply().status == 400)
                }
            }
            #expect(server.counters.accepted == 4)
        }
    }

    @Test("who announces much and sends little keeps nobody out")
    func slowBodies() async throws {
        try await TestServer.run { server in
            let port = server.port
            try await Blocking.run {
                let slow = try (0..<40).map { number in
                    let connection = try RawConnection(port)
                    let framing =
                        number % 2 == 0 ? "transfer-encoding: chunked" : "content-length: \(Bounds.batchBytes)"
                    let coding = [nil, "gzip", "zstd", "lz4"][number / 2 % 4]
                    try connection.send(Self.post([], coding, framing: framing, more: "expect: 100-continue\r\n"))
                    // Admitted.
                    #expect(try connection.readHead().status == 100)
                    return connection
                }
                let lines = Array(String(repeating: Self.event + "\n", count: 90_000).utf8)
                for coding in [nil] + BodyCoding.allCases {
                    let other = try RawConnection(port)
                    try other.send(Self.post(coding.map { Encoder.encode(lines, $0) } ?? lines, coding?.rawValue))
                    let reply = try other.readReply()
                    // Events that are all alike shrink too well for gzip and Zstandard.
                    #expect(reply.status == 201 || reply.text.contains("coding_ratio"))
                }
                try slow[1].send("x")
            }
            #expect(server.counters.accepted > 0)
        }
    }
}
