import HTTPTypes
import LogEngine
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import NIOPosix
import Synchronization
import TestSupport

@testable import WebAPI

/// A handler of POSTs between a socket and what stands behind it, which are both played by the test.
struct PostBench<Part: Sendable> {
    let channel = NIOAsyncTestingChannel()
    let disk = HeldDisk()
    let log: EventLog
    let metrics: Metrics
    let clock: ManualClock
    var counters: Counters { metrics.counters }
    private let socket = ReadCount()
    private let behind: Recorder<Part>

    /// - Parameter handlers: what is tested, and what stands even behind the recorder.
    fileprivate static func run(
        _ behind: Recorder<Part>,
        _ handlers: @escaping @Sendable (RequestHandler) -> (tested: any ChannelHandler, last: [any ChannelHandler]),
        _ body: (PostBench) async throws -> Void
    ) async throws {
        let bench = try await PostBench(behind, handlers)
        try await body(bench)
        _ = try await bench.channel.finish(acceptAlreadyClosed: true)
        try await bench.log.close()
    }

    private init(
        _ behind: Recorder<Part>,
        _ handlers: @escaping @Sendable (RequestHandler) -> (tested: any ChannelHandler, last: [any ChannelHandler])
    ) async throws {
        self.behind = behind
        var options = Server.Options.loopback()
        options.heartbeat = .seconds(3_600)
        let environment = TestEnvironment()
        clock = environment.clock
        log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        metrics = Metrics(of: log)
        let handler = RequestHandler(
            log: log, blocking: .singleton, metrics: metrics, logger: .silent, options: options,
            limits: ConnectionLimits())
        try await onLoop { [socket] pipeline in
            let (tested, last) = handlers(handler)
            try pipeline.addHandlers([socket, tested, behind] + last)
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    }

    func onLoop(_ body: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void) async throws {
        try await channel.testingEventLoop.executeInContext { [channel] in
            try body(channel.pipeline.syncOperations)
        }
    }

    /// What came to who stands behind.
    var passed: [String] { behind.notes.withLock { $0 } }
    /// How often the socket was asked for more.
    var reads: Int { socket.count.load(ordering: .relaxed) }

    /// Parts of one read, which ends here.
    func receive(_ parts: Part...) async throws {
        try await onLoop { pipeline in
            for part in parts { pipeline.fireChannelRead(NIOAny(part)) }
            pipeline.fireChannelReadComplete()
        }
    }
}

/// A `PlainRequestHandler` ahead of the parser.
typealias PlainPostBench = PostBench<ByteBuffer>

extension PlainPostBench {
    static func run(_ body: (PlainPostBench) async throws -> Void) async throws {
        let parser = Recorder<ByteBuffer>(notesCompletion: true) { String(buffer: $0) }
        try await run(
            parser,
            { handler in
                let outlet = ConnectionOutlet(handler.counters, .http1, date: handler.date)
                let idle = IdleLimit(.patient, handler.counters, date: handler.date)
                return (PlainRequestHandler(handler, outlet, idle), [outlet, idle])
            }, body)
    }

    func receive(_ bytes: [UInt8]) async throws { try await receive(ByteBuffer(bytes: bytes)) }

    /// The next answer that goes to the socket.
    func nextAnswer() async throws -> String {
        String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
    }
}

/// A `SmallPostHandler` ahead of Hummingbird.
typealias SmallPostBench = PostBench<HTTPRequestPart>

extension SmallPostBench {
    static func run(_ body: (SmallPostBench) async throws -> Void) async throws {
        let hummingbird = Recorder<HTTPRequestPart>(notesCompletion: false) { part in
            switch part {
            case .head(let head): "\(head.method) \(head.path ?? "")"
            case .body(let bytes): String(buffer: bytes)
            case .end: "end"
            }
        }
        try await run(hummingbird, { (SmallPostHandler($0), []) }, body)
    }

    /// An answer by Hummingbird.
    func answer() async throws {
        try await onLoop { pipeline in
            pipeline.write(NIOAny(HTTPResponsePart.head(HTTPResponse(status: .ok))), promise: nil)
            pipeline.writeAndFlush(NIOAny(HTTPResponsePart.end(nil)), promise: nil)
        }
    }

    /// The status of the next answer that goes to the socket.
    func nextStatus() async throws -> Int? {
        var status: Int?
        while true {
            switch try await channel.waitForOutboundWrite(as: HTTPResponsePart.self) {
            case .head(let head): status = head.status.code
            case .body: break
            case .end: return status
            }
        }
    }
}

extension HTTPRequestPart {
    static func get(_ path: String) -> Self {
        .head(HTTPRequest(method: .get, scheme: nil, authority: "test", path: path))
    }

    static func post(_ length: Int) -> Self {
        .head(
            HTTPRequest(
                method: .post, scheme: nil, authority: "test", path: "/wsapi/interaction_data",
                headerFields: [.contentType: "application/x-ndjson", .contentLength: String(length)]))
    }
}

private final class ReadCount: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = Never
    let count = Atomic<Int>(0)

    func read(context: ChannelHandlerContext) {
        count.add(1, ordering: .relaxed)
        context.read()
    }
}

private final class Recorder<Part: Sendable>: ChannelInboundHandler, Sendable {
    typealias InboundIn = Part
    let notes = Mutex<[String]>([])
    private let notesCompletion: Bool
    private let words: @Sendable (Part) -> String

    init(notesCompletion: Bool, _ words: @escaping @Sendable (Part) -> String) {
        (self.notesCompletion, self.words) = (notesCompletion, words)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { note(words(Self.unwrapInboundIn(data))) }
    func channelReadComplete(context: ChannelHandlerContext) { if notesCompletion { note("complete") } }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { note("\(type(of: event))") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { note("error") }

    private func note(_ text: String) { notes.withLock { $0.append(text) } }
}
