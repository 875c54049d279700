import HTTPTypes
import LogEngine
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import NIOPosix
import Synchronization
import TestSupport

@testable import WebAPI

/// A `SmallPostHandler` between a socket and a Hummingbird that are both played by the test.
struct SmallPostBench {
    let channel = NIOAsyncTestingChannel()
    let disk = HeldDisk()
    let log: EventLog
    let metrics: Metrics
    let clock: ManualClock
    var counters: Counters { metrics.counters }
    private let socket = ReadCount()
    private let behind = Recorder()

    static func run(_ body: (SmallPostBench) async throws -> Void) async throws {
        let bench = try await SmallPostBench()
        try await body(bench)
        _ = try await bench.channel.finish(acceptAlreadyClosed: true)
        try await bench.log.close()
    }

    private init() async throws {
        var options = Server.Options.loopback()
        options.heartbeat = .seconds(3_600)
        let environment = TestEnvironment()
        clock = environment.clock
        log = try EventLog.open("/data", options: LogOptions(), environment: environment.on(disk))
        metrics = Metrics(of: log)
        let handler = RequestHandler(
            log: log, blocking: .singleton, metrics: metrics,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), options: options,
            limits: ConnectionLimits())
        try await onLoop { [socket, behind] pipeline in
            try pipeline.addHandlers([socket, SmallPostHandler(handler), behind])
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    }

    func onLoop(_ body: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void) async throws {
        try await channel.testingEventLoop.executeInContext { [channel] in
            try body(channel.pipeline.syncOperations)
        }
    }

    /// What came to Hummingbird.
    var passed: [String] { behind.notes.withLock { $0 } }
    /// How often the socket was asked for more.
    var reads: Int { socket.count.load(ordering: .relaxed) }

    /// Parts of one read, which ends here.
    func receive(_ parts: HTTPRequestPart...) async throws {
        try await onLoop { pipeline in
            for part in parts { pipeline.fireChannelRead(NIOAny(part)) }
            pipeline.fireChannelReadComplete()
        }
    }

    /// An answer by Hummingbird.
    func answer() async throws {
        try await onLoop { pipeline in
            pipeline.write(NIOAny(HTTPResponsePart.head(HTTPResponse(status: .ok))), promise: nil)
            pipeline.writeAndFlush(NIOAny(HTTPResponsePart.end(nil)), promise: nil)
        }
    }

    /// The next answer that goes to the socket.
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
    typealias OutboundIn = HTTPResponsePart
    let count = Atomic<Int>(0)

    func read(context: ChannelHandlerContext) {
        count.add(1, ordering: .relaxed)
        context.read()
    }
}

private final class Recorder: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPRequestPart
    let notes = Mutex<[String]>([])

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): note("\(head.method) \(head.path ?? "")")
        case .body(let bytes): note(String(buffer: bytes))
        case .end: note("end")
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { note("\(type(of: event))") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { note("error") }

    private func note(_ text: String) { notes.withLock { $0.append(text) } }
}
