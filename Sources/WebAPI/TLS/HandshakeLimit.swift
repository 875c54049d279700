import NIOCore
import NIOSSL
import NIOTLS

/// Gives a client so long for its handshake, counts those that fail, and closes one that a shutdown finds in it.
/// Leaves the pipeline when the handshake is done.
final class HandshakeLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any
    typealias InboundOut = Any

    private let limit: TimeAmount
    private let counters: Counters
    private var timer: Scheduled<Void>?
    private var hasFailed = false

    init(_ limit: TimeAmount, _ counters: Counters) {
        self.limit = limit
        self.counters = counters
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
            self.fail("handshake_too_slow")
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            context.fireUserInboundEventTriggered(event)
            return context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        if event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case NIOSSLError.handshakeFailed = error { fail("handshake_failed") }
        context.fireErrorCaught(error)
    }

    private func fail(_ reason: String) {
        guard !hasFailed else { return }
        hasFailed = true
        counters.refuse(reason, events: 0)
    }
}
