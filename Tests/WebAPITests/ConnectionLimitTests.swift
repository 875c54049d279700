import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP2
import NIOHTTPTypes
import Testing

@testable import WebAPI

/// SPEC L5–L8.
@Suite("limits of connections")
struct ConnectionLimitTests {
    private static let stream = "/wsapi/interaction_data/stream"

    private func serve(
        _ change: (inout ConnectionLimits) -> Void, _ body: (TestServer) async throws -> Void
    ) async throws {
        var options = Server.Options(host: "127.0.0.1", port: 0)
        change(&options.listener.connections)
        try await TestServer.run(options, body)
    }

    @Test("a connection beyond the limit is answered 503 and closed; when one ends there is room again")
    func connections() async throws {
        try await serve {
            $0.connections = 2
        } _: { server in
            let port = server.port
            let held = try await Blocking.run {
                let held = try [RawConnection(port), RawConnection(port)]
                for connection in held {
                    try connection.send(TestRequest("GET", "/wsapi/ping").bytes)
                    _ = try connection.readReply()
                }
                let refused = try RawConnection(port)
                let reply = try refused.readReply()
                #expect(reply.status == 503 && reply.fields["retry-after"] == "1" && reply.fields["date"] != nil)
                #expect(reply.text.contains(#""reason":"too_many_connections""#))
                #expect(try refused.isAtEnd())
                return held
            }
            #expect(server.counters.refused["too_many_connections"]?.requests == 1)
            held[0].finish()
            while try await server.get("/wsapi/ping").status != 200 { await Task.yield() }
        }
    }

    @Test("with TLS a connection beyond the limit is closed")
    func secureConnections() async throws {
        var limits = ConnectionLimits()
        limits.connections = 1
        try await SecureServer.run(limits: limits) { secure in
            let client = try await secure.client()
            await #expect(throws: (any Error).self) { try await secure.client() }
            #expect(secure.server.counters.refused["too_many_connections"]?.requests == 1)
            #expect(try await client.get("/wsapi/ping").text == "pong")
        }
    }

    @Test("a process serves no more connections than it may have descriptors")
    func descriptors() {
        let limits = ConnectionLimits()
        #expect(limits.fitting(descriptors: 1 << 20) == limits)
        #expect(limits.fitting(descriptors: 4_096).connections == 4_096 - 1_024 - ConnectionCount.refusedAtATime)
        #expect(limits.fitting(descriptors: 1_024).connections == 512 - ConnectionCount.refusedAtATime)
        #expect(limits.fitting(descriptors: 10).connections == 1)
    }

    @Test("a header that is too long or has too many fields is 431, behind the answers that are due")
    func header() async throws {
        try await serve {
            ($0.headerBytes, $0.headerFields) = (2_000, 20)
        } _: { server in
            let port = server.port
            let many = (1...30).map { ("x-\($0)", "1") }
            for fields in [[("x", String(repeating: "x", count: 3_000))], many] {
                let replies = try await Blocking.run {
                    let connection = try RawConnection(port)
                    try connection.send(
                        TestRequest("GET", "/wsapi/ping").bytes + TestRequest("GET", "/wsapi/ping", fields).bytes)
                    let replies = try [connection.readReply(), connection.readReply()]
                    #expect(try connection.isAtEnd())
                    return replies
                }
                #expect(replies.map(\.status) == [200, 431])
                #expect(replies[1].text.contains(#""reason":"header_too_large""#) && replies[1].fields["date"] != nil)
            }
            #expect(server.counters.refused["header_too_large"]?.requests == 2)
        }
    }

    @Test("by HTTP/2 it is 431 on its stream; the connection goes on")
    func secureHeader() async throws {
        var limits = ConnectionLimits()
        (limits.headerBytes, limits.headerFields) = (2_000, 20)
        try await SecureServer.run(limits: limits) { secure in
            let client = try await secure.client()
            let many = (1...30).map { ("x-\($0)", "1") }
            for fields in [[("x", String(repeating: "x", count: 3_000))], many] {
                #expect(try await client.ask(TestRequest("GET", "/wsapi/ping", fields)).status == 431)
                #expect(try await client.get("/wsapi/ping").text == "pong")
            }
            #expect(secure.server.counters.refused["header_too_large"]?.requests == 2)
        }
    }

    @Test("a client follows so many times; one more is 429, until one ends")
    func followers() async throws {
        try await serve {
            $0.streamsPerClient = 2
        } _: { server in
            let port = server.port
            var held = try await Blocking.run {
                try (1...2).map { _ in
                    let connection = try RawConnection(port)
                    try connection.send(TestRequest("GET", Self.stream).bytes)
                    #expect(try connection.readHead().status == 200)
                    return connection
                }
            }
            let refused = try await server.get(Self.stream)
            #expect(refused.status == 429 && refused.fields["retry-after"] == "1")
            #expect(refused.text.contains(#""reason":"too_many_streams""#))
            #expect(server.counters.refused["too_many_streams"]?.requests == 1)
            #expect(try await server.get("/wsapi/interaction_data").status == 200)
            held[0].finish()
            held.removeFirst()
            while server.counters.streaming > 1 { await Task.yield() }
            let status = try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(TestRequest("GET", Self.stream).bytes)
                return try connection.readHead().status
            }
            #expect(status == 200)
        }
    }

    @Test("streams of HTTP/2 count, those that follow once, and over all connections of a client")
    func streams() async throws {
        var limits = ConnectionLimits()
        limits.streamsPerClient = 1
        try await SecureServer.run(limits: limits) { secure in
            let client = try await secure.client()
            let status = try await client.ask(TestRequest("GET", Self.stream)) { parts in
                guard case .head(let head) = try await parts.next() else { throw ConnectionEnded() }
                #expect(try await client.get("/wsapi/ping").status == 429)
                #expect(try await secure.client().get("/wsapi/ping").status == 429)
                return head.status.code
            }
            #expect(status == 200)
            while try await client.get("/wsapi/ping").status == 429 {}
            #expect(secure.server.counters.refused["too_many_streams"]?.requests ?? 0 >= 2)
        }
    }

    @Test("the addresses of one network of IPv6 are one client; an address of IPv4 is its own, also within IPv6")
    func clients() throws {
        func taken(_ first: String, _ second: String) throws -> Bool {
            let streams = ClientStreams(1)
            let one = streams.take(try SocketAddress(ipAddress: first, port: 1))
            defer { withExtendedLifetime(one) {} }
            return streams.take(try SocketAddress(ipAddress: second, port: 2)) == nil
        }
        #expect(try taken("10.0.0.1", "10.0.0.1"))
        #expect(try !taken("10.0.0.1", "10.0.0.2"))
        #expect(try taken("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"))
        #expect(try !taken("2001:db8:0:1::1", "2001:db8:0:2::1"))
        #expect(try !taken("::ffff:10.0.0.1", "::ffff:10.0.0.2"))
        let streams = ClientStreams(1)
        _ = streams.take(try SocketAddress(ipAddress: "10.0.0.1", port: 1))
        #expect(try streams.take(SocketAddress(ipAddress: "10.0.0.1", port: 1)) != nil)
    }

    @Test("a handshake that does not end is ended")
    func handshake() throws {
        let counters = Counters()
        let channel = EmbeddedChannel(handler: HandshakeLimit(.seconds(20), counters))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.embeddedEventLoop.advanceTime(by: .seconds(19))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive && counters.refused["handshake_too_slow"]?.requests == 1)
    }

    @Test("a connection of HTTP/2 without a stream is told farewell and closed")
    func idleHTTP2() throws {
        let channel = EmbeddedChannel()
        _ = try HTTP2Setup(limits: ConnectionLimits(), handlers: { [] }).setUp(channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.embeddedEventLoop.advanceTime(by: .seconds(74))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        var sent: [UInt8] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { sent += bytes.readableBytesView }
        // The type of a GOAWAY frame of 8 bytes on stream 0.
        #expect(sent.suffix(17).starts(with: [0, 0, 8, 7, 0, 0, 0, 0, 0]))
    }
}
