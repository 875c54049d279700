import NIOCore
import NIOHTTP2

/// Ends an HTTP/2 connection: one that has had no stream for too long, at a shutdown one whose last stream is done,
/// and one whose client has broken the protocol. A client may try a stream that it opened meanwhile elsewhere: the
/// GOAWAY frame says which ones were seen.
final class HTTP2Rest: ChannelInboundHandler, NIOHTTP2FrameDelegate {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let limit: TimeAmount
    private var context: ChannelHandlerContext?
    private var open = 0
    private var last = HTTP2StreamID.rootStream
    private var quietSince = NIODeadline.uptimeNanoseconds(0)
    private var timer: Scheduled<Void>?
    private var isEnding = false
    private var isBroken = false
    /// Found out once, whichever stream asks.
    private lazy var peer = context.map { Peer(ofTLS: $0.channel) } ?? Peer()

    init(_ limit: TimeAmount) {
        self.limit = limit
    }

    /// On the event loop.
    static func peer(ofStream stream: any Channel) -> Peer {
        let rest = stream.parent.flatMap { try? $0.pipeline.syncOperations.handler(type: HTTP2Rest.self) }
        // Without one the connection is gone, and its certificate with it.
        return rest?.peer ?? Peer(address: stream.remoteAddress)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        rest(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { end(context) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Those of a single stream come here too, and leave the others alone.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isBroken { context.close(promise: nil) }
    }

    func wroteFrame(_ frame: HTTP2Frame) {
        if case .goAway(_, let code, _) = frame.payload, code != .noError { isBroken = true }
    }

    // MARK: - Streams

    fileprivate func opened(_ stream: HTTP2StreamID) {
        open += 1
        last = max(last, stream)
    }

    fileprivate func closed() {
        open -= 1
        guard open == 0, let context else { return }
        guard isEnding else { return rest(context) }
        // Not before the last bytes of the stream are flushed, which is within this tick.
        context.eventLoop.assumeIsolated().execute { context.close(promise: nil) }
    }

    private func rest(_ context: ChannelHandlerContext) {
        quietSince = context.eventLoop.now
        if timer == nil { setTimer(context) }
    }

    private func setTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: quietSince + limit) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        timer = nil
        guard open == 0 else { return }
        guard context.eventLoop.now < quietSince + limit else { return end(context) }
        setTimer(context)
    }

    private func end(_ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        isEnding = true
        let farewell = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil))
        context.writeAndFlush(Self.wrapOutboundOut(farewell), promise: nil)
        if open == 0 { context.close(promise: nil) }
    }
}

extension HTTP2Rest {
    /// Tells of the streams of its connection, on its event loop.
    struct Watch: NIOHTTP2StreamDelegate {
        let rest: NIOLoopBound<HTTP2Rest>

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { rest.value.opened(id) }
        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { rest.value.closed() }
    }
}
