import CZstd
import Testing

@testable import WebAPI

/// What Zstandard frames, one behind the other, hold; fails for anything else.
func decodedZstandard(_ body: [UInt8]) throws -> [UInt8] {
    struct NoFrames: Error {}
    guard let context = ZSTD_createDCtx() else { throw NoFrames() }
    defer { ZSTD_freeDCtx(context) }
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    var left = body.isEmpty ? 1 : 0
    try body.withUnsafeBytes { body in
        var input = ZSTD_inBuffer(src: body.baseAddress, size: body.count, pos: 0)
        var isFull = false
        while input.pos < input.size || isFull {
            try part.withUnsafeMutableBytes { place in
                var output = ZSTD_outBuffer(dst: place.baseAddress, size: place.count, pos: 0)
                left = ZSTD_decompressStream(context, &output, &input)
                guard ZSTD_isError(left) == 0 else { throw NoFrames() }
                text += place[..<output.pos]
                isFull = output.pos == output.size
            }
        }
    }
    guard left == 0 else { throw NoFrames() }
    return text
}

@Suite("content coding")
struct ContentCodingTests {
    private static let target = "/wsapi/interaction_data"
    private static let lines = (0..<50).map { #"{"timestamp":\#(1_361_407_200_000 + $0 / 20 * 600_000),"n":\#($0)}"# }
    private static let text = lines.map { $0 + "\n" }.joined()

    private func get(
        _ server: TestServer, _ query: String = "", coding: String? = "zstd", accept: String = "application/x-ndjson",
        method: String = "GET", more: [(String, String)] = []
    ) async throws -> Reply {
        let fields = [("accept", accept)] + (coding.map { [("accept-encoding", $0)] } ?? []) + more
        return try await server.ask(TestRequest(method, Self.target + query, fields))
    }

    private func serve(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.run { server in
            _ = try await server.post(Self.lines.joined(separator: "\n"))
            try await body(server)
        }
    }

    private func text(_ reply: Reply) throws -> String {
        String(decoding: try decodedZstandard(reply.body), as: UTF8.self)
    }

    @Test("lines come in Zstandard frames to who wants them; the trailer speaks of the body as it is sent")
    func coded() async throws {
        try await serve { server in
            for order in ["time", "arrival"] {
                let reply = try await get(server, "?order=\(order)")
                #expect(reply.status == 200 && reply.fields["content-type"] == "application/x-ndjson")
                #expect(reply.fields["content-encoding"] == "zstd")
                #expect(reply.fields["vary"] == "Accept, Accept-Encoding")
                #expect(reply.fields["etag"]?.hasPrefix("W/") == true)
                #expect(try text(reply) == Self.text && reply.body.count < Self.text.utf8.count / 3)
                #expect(reply.trailer["daybook-count"] == "50" && reply.trailer["daybook-complete"] == "true")
                #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
                let head = try await get(server, "?order=\(order)", method: "HEAD")
                #expect(head.body.isEmpty)
                for name in ["content-encoding", "vary", "etag", "trailer", "content-type"] {
                    #expect(head.fields[name] == reply.fields[name], "\(name)")
                }
            }
        }
    }

    @Test(
        "nothing else is coded",
        arguments: [
            ("application/x-ndjson", "gzip", "", "Accept, Accept-Encoding"),
            ("application/x-ndjson", nil, "", "Accept, Accept-Encoding"), ("application/json", "zstd", "", "Accept"),
            ("application/x-lz4", "zstd", "?order=arrival", "Accept"),
        ] as [(String, String?, String, String)])
    func plain(accept: String, coding: String?, query: String, vary: String) async throws {
        try await serve { server in
            let reply = try await get(server, query, coding: coding, accept: accept)
            #expect(reply.status == 200 && reply.fields["content-encoding"] == nil)
            #expect(reply.fields["vary"] == vary && reply.fields["content-type"] == accept)
        }
    }

    @Test("an answer that follows is not coded: each of its lines comes at once", arguments: ["?follow=1", "/stream"])
    func followers(query: String) async throws {
        try await serve { server in
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                let fields = [("accept", "application/x-ndjson"), ("accept-encoding", "zstd")]
                try connection.send(TestRequest("GET", Self.target + query, fields).bytes)
                #expect(try connection.readHead().fields["content-encoding"] == nil)
            }
        }
    }

    @Test("its tag is not that of the plain lines, and is honoured")
    func notModified() async throws {
        try await serve { server in
            let tag = try #require(try await get(server).fields["etag"])
            let plain = try #require(try await get(server, coding: nil).fields["etag"])
            #expect(tag != plain && tag != "W/" + plain)
            let same = try await get(server, more: [("if-none-match", tag)])
            #expect(same.status == 304 && same.fields["etag"] == tag && same.body.isEmpty)
            #expect(same.fields["vary"] == "Accept, Accept-Encoding" && same.fields["content-encoding"] == nil)
            #expect(try await get(server, more: [("if-none-match", plain)]).status == 200)
        }
    }

    @Test("nothing is a frame of nothing")
    func empty() async throws {
        try await serve { server in
            let reply = try await get(server, "?end=1")
            #expect(reply.fields["content-encoding"] == "zstd" && !reply.body.isEmpty)
            #expect(try text(reply) == "" && reply.trailer["daybook-count"] == "0")
            #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
        }
    }

    @Test("pages decode to the whole")
    func pages() async throws {
        try await serve { server in
            var found = ""
            var query: String? = "?limit=7"
            var pages = 0
            while let part = query {
                let reply = try await get(server, part)
                found += try text(reply)
                query = reply.next.map { String($0.dropFirst(Self.target.count)) }
                pages += 1
            }
            #expect(found == Self.text && pages == 8)
        }
    }

    @Test("the last line is a frame of its own; its hash is that of all bytes before it", arguments: ["", "&limit=3"])
    func endLine(limit: String) async throws {
        try await serve { server in
            let reply = try await get(server, "?end=line\(limit)")
            let hash = try #require(reply.trailer["daybook-xxh3"])
            let all = try text(reply).split(separator: "\n").map(String.init)
            #expect(all.dropLast().elementsEqual(Self.lines.prefix(limit.isEmpty ? 50 : 3)))
            #expect(all.last?.contains(#""xxh3":"\#(hash)","complete":true"#) == true)
            let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
            let start = try #require(reply.body.indices.last { reply.body[$0...].starts(with: magic) })
            #expect(digest(Array(reply.body[..<start])) == hash)
            #expect(try decodedZstandard(Array(reply.body[start...])).count == (all.last?.utf8.count ?? 0) + 1)
        }
    }
}
