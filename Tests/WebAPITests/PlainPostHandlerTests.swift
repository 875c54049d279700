import LogEngine
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import WebAPI

@Suite("PlainPostHandler")
struct PlainPostHandlerTests {
    private static let post = TestRequest.events(#"{"timestamp":1361407200000}"# + "\n").bytes
    private static let get = TestRequest("GET", "/wsapi/ping").bytes

    @Test("plain POSTs of one read are answered in bytes, one after the other, and nobody behind hears of them")
    func answered() async throws {
        try await PlainPostBench.run { bench in
            try await bench.receive(Self.post + Self.post)
            for _ in 0..<2 {
                let answer = try await bench.nextAnswer()
                #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n"))
                #expect(answer.hasSuffix("}\n"))
            }
            #expect(bench.passed.isEmpty)
            #expect(bench.counters.accepted == 2)
            #expect(bench.log.health.bytesInFlight == 0)
        }
    }

    @Test("what is none passes byte for byte, and so does all that follows")
    func passed() async throws {
        try await PlainPostBench.run { bench in
            for bytes in [Self.get, Self.post, Array("nonsense".utf8)] {
                try await bench.receive(bytes)
                #expect(bench.passed.last == "complete")
            }
            let texts = [Self.get, Self.post].map { String(decoding: $0, as: UTF8.self) } + ["nonsense"]
            #expect(bench.passed == texts.flatMap { [$0, "complete"] })
            #expect(bench.counters.accepted == 0)
        }
    }

    @Test("a POST that is not here whole passes, and so does one that will be refused")
    func notNow() async throws {
        let refused = TestRequest.events("nonsense").bytes
        for bytes in [Array(Self.post.dropLast()), refused, TestRequest.events("\n").bytes] {
            try await PlainPostBench.run { bench in
                try await bench.receive(bytes)
                #expect(bench.passed == [String(decoding: bytes, as: UTF8.self), "complete"])
                #expect(bench.log.health.bytesInFlight == 0)
            }
        }
    }

    @Test("where there is no room it passes, to wait in line")
    func noRoom() async throws {
        try await PlainPostBench.run { bench in
            let room = try await bench.log.admit(Bounds.inFlightBytes)
            try await bench.receive(Self.post)
            #expect(bench.passed.count == 2)
            room.release()
        }
    }

    @Test("a client that does not read its answers is left to those who wait for it")
    func slowReader() async throws {
        try await PlainPostBench.run { bench in
            bench.channel.isWritable = false
            try await bench.receive(Self.post)
            #expect(bench.passed.count == 2)
        }
    }

    @Test("whatever comes while one is stored comes after its answer, in order, and is bounded")
    func held() async throws {
        try await PlainPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.post)
            await bench.disk.untilHeld()
            try await bench.onLoop { $0.read() }
            #expect(bench.reads == 1)
            try await bench.receive(Self.get)
            try await bench.onLoop { pipeline in
                pipeline.fireErrorCaught(ConnectionEnded())
                pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                pipeline.read()
            }
            #expect(bench.passed.isEmpty)
            #expect(bench.reads == 1)
            bench.disk.release()
            #expect(try await bench.nextAnswer().hasPrefix("HTTP/1.1 201 "))
            await bench.channel.testingEventLoop.run()
            #expect(bench.passed == [String(decoding: Self.get, as: UTF8.self), "error", "ChannelEvent", "complete"])
            #expect(bench.reads == 2)
        }
    }

    @Test("the events of a client that left are stored and counted")
    func clientLeaves() async throws {
        try await PlainPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.post + Self.get)
            await bench.disk.untilHeld()
            try await bench.channel.close().get()
            bench.disk.release()
            while bench.counters.accepted == 0 { await Task.yield() }
            #expect(bench.passed.isEmpty)
            #expect(bench.log.health.bytesInFlight == 0)
        }
    }
}

/// A `PlainPostHandler` between a socket and a parser that are both played by the test.
private struct PlainPostBench {
    let channel = NIOAsyncTestingChannel()
    let disk = HeldDisk()
    let log: EventLog
    let metrics: Metrics
    var counters: Counters { metrics.counters }
    private let socket = ReadCount()
    private let behind = Recorder()

    static func run(_ body: (PlainPostBench) async throws -> Void) async throws {
        let bench = try await PlainPostBench()
        try await body(bench)
        _ = try await bench.channel.finish(acceptAlreadyClosed: true)
        try await bench.log.close()
    }

    private init() async throws {
        var options = Server.Options.loopback()
        options.heartbeat = .seconds(3_600)
        log = try EventLog.open("/data", options: LogOptions(), environment: TestEnvironment().on(disk))
        metrics = Metrics(of: log)
        let handler = RequestHandler(
            log: log, blocking: .singleton, metrics: metrics,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), options: options,
            limits: ConnectionLimits())
        try await onLoop { [socket, behind] pipeline in
            let outlet = ConnectionOutlet(handler.counters, .http1, date: handler.date)
            let idle = IdleLimit(.patient, handler.counters, date: handler.date)
            try pipeline.addHandlers([socket, PlainPostHandler(handler, outlet, idle), behind, outlet, idle])
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    }

    func onLoop(_ body: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void) async throws {
        try await channel.testingEventLoop.executeInContext { [channel] in
            try body(channel.pipeline.syncOperations)
        }
    }

    /// What came to the parser.
    var passed: [String] { behind.notes.withLock { $0 } }
    /// How often the socket was asked for more.
    var reads: Int { socket.count.load(ordering: .relaxed) }

    /// The bytes of one read, which ends here.
    func receive(_ bytes: [UInt8]) async throws {
        try await onLoop { pipeline in
            pipeline.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes)))
            pipeline.fireChannelReadComplete()
        }
    }

    /// The next answer that goes to the socket.
    func nextAnswer() async throws -> String {
        String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
    }
}

private final class ReadCount: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = ByteBuffer
    let count = Atomic<Int>(0)

    func read(context: ChannelHandlerContext) {
        count.add(1, ordering: .relaxed)
        context.read()
    }
}

private final class Recorder: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let notes = Mutex<[String]>([])

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { note(String(buffer: Self.unwrapInboundIn(data))) }
    func channelReadComplete(context: ChannelHandlerContext) { note("complete") }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { note("\(type(of: event))") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { note("error") }

    private func note(_ text: String) { notes.withLock { $0.append(text) } }
}
