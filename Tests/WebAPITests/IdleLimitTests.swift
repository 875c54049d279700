import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import WebAPI

@Suite("IdleLimit")
struct IdleLimitTests {
    private let channel: EmbeddedChannel
    private let counters = Counters()

    init() throws {
        channel = EmbeddedChannel(handler: IdleLimit(ConnectionLimits(), counters, date: HTTPDate()))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func read(_ part: HTTPRequestPart) throws { try channel.writeInbound(part) }

    private func answer() throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    private func wait(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    private static let head = HTTPRequestPart.head(
        HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/"))

    @Test("a connection on which nothing comes is closed")
    func silent() {
        wait(74)
        #expect(channel.isActive)
        wait(1)
        #expect(!channel.isActive)
    }

    @Test("one that is used is not closed until it has been silent for the whole limit")
    func used() throws {
        for _ in 0..<10 {
            wait(50)
            try read(Self.head)
            try read(.end(nil))
            try answer()
        }
        wait(74)
        #expect(channel.isActive)
        wait(1)
        #expect(!channel.isActive)
    }

    @Test("however long an answer takes, the connection stays; the limit starts at its end")
    func answering() throws {
        try read(Self.head)
        try read(.end(nil))
        for _ in 0..<100 { wait(61) }
        #expect(channel.isActive)
        try answer()
        wait(74)
        #expect(channel.isActive)
        wait(1)
        #expect(!channel.isActive)
    }

    @Test("a client that stops in the middle of a request is cut off")
    func unfinishedRequest() throws {
        try read(Self.head)
        for _ in 0..<3 {
            wait(60)
            try read(.body(ByteBuffer(string: "x")))
        }
        #expect(channel.isActive)
        wait(75)
        #expect(!channel.isActive)
    }

    @Test("one that stops in the middle of the next request, too, while the one before is answered")
    func pipelined() throws {
        try read(Self.head)
        try read(.end(nil))
        try read(Self.head)
        wait(75)
        #expect(!channel.isActive)
    }

    /// Bytes that are no part of a request yet.
    private func readSome() { channel.pipeline.fireChannelReadComplete() }

    private func status() throws -> Int? {
        guard case .head(let head) = try channel.readOutbound(as: HTTPResponsePart.self) else { return nil }
        return head.status.code
    }

    @Test("a header has its own limit, from its first byte; more bytes do not put it off")
    func slowHeader() throws {
        wait(50)
        readSome()
        for _ in 0..<19 {
            wait(1)
            readSome()
        }
        #expect(try status() == nil)
        wait(1)
        #expect(try status() == 408)
        #expect(counters.refused["header_too_slow"]?.requests == 1)
        // What comes too late is not looked at.
        try read(Self.head)
        #expect(try channel.readInbound(as: HTTPRequestPart.self) == nil)
    }

    @Test("a header that comes in time is as good as one that comes at once")
    func headerInParts() throws {
        for _ in 0..<3 {
            readSome()
            wait(19)
            try read(Self.head)
            try read(.end(nil))
            readSome()
            try answer()
            while try channel.readOutbound(as: HTTPResponsePart.self) != nil {}
        }
        wait(74)
        #expect(channel.isActive && counters.refused.isEmpty)
    }

    @Test("the beginning of the next header waits for the answer that is due")
    func headerBehindAnswer() throws {
        try read(Self.head)
        try read(.end(nil))
        wait(1)
        readSome()
        readSome()
        wait(200)
        #expect(channel.isActive && counters.refused.isEmpty)
    }

    @Test("a body that trickles is cut off in the end, also where nobody reads it")
    func tricklingBody() throws {
        try read(Self.head)
        readSome()
        try answer()
        for _ in 0..<19 {
            wait(10)
            try read(.body(ByteBuffer(string: "x")))
            readSome()
        }
        #expect(channel.isActive)
        wait(5)
        #expect(!channel.isActive)
    }

    @Test("a connection that is gone is not kept by its timer")
    func closed() throws {
        weak let handler = try channel.pipeline.syncOperations.handler(type: IdleLimit.self)
        #expect(handler != nil)
        try channel.close().wait()
        channel.embeddedEventLoop.run()
        #expect(handler == nil)
    }
}
