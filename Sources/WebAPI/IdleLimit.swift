import NIOCore
import NIOHTTPTypes

// Ahead of Hummingbird, whose own limit does not see what a handler before it answers.

/// Closes a connection that is silent for too long, between requests or in the middle of one; never
/// while one that was read is being answered. One timer a connection, set again when it comes too early.
final class IdleLimit: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private var lastActive = NIODeadline.uptimeNanoseconds(0)
    private var unanswered = 0
    private var isReading = false
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = context.eventLoop.now
        switch Self.unwrapInboundIn(data) {
        case .head:
            isReading = true
            unanswered += 1
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) {
            // What is no request is answered too.
            unanswered = max(unanswered - 1, 0)
            lastActive = context.eventLoop.now
        }
        context.write(data, promise: promise)
    }

    private func begin(_ context: ChannelHandlerContext) {
        lastActive = context.eventLoop.now
        setTimer(lastActive + limit, context)
    }

    private func setTimer(_ deadline: NIODeadline, _ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        if unanswered > 0, !isReading { return setTimer(now + limit, context) }
        guard now < lastActive + limit else { return context.close(promise: nil) }
        setTimer(lastActive + limit, context)
    }
}
