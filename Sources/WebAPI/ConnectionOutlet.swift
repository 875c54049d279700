import HTTPTypes
import NIOCore
import NIOHTTPTypes

// Sits between the HTTP codec and Hummingbird's handlers and mends what these leave open: a connection
// is closed only once what waits for its socket is out, an answer to HEAD has no body whatever its
// framing, `Connection: close` in an answer is kept, and a client that leaves is noticed.

final class ConnectionOutlet: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a client that does not read may hold up the end of its connection.
    private static let drainLimit = TimeAmount.seconds(30)
    /// How long a client may go on sending what is not wanted, so that it sees the answer and no reset.
    private static let lingerLimit = TimeAmount.seconds(2)

    let departure = ClientDeparture()
    private let counters: Counters
    /// For each request whose answer is not complete, whether it is a HEAD.
    private var pendingHeads = CircularBuffer<Bool>()
    private var answer = Answer()
    private var pendingWrites = 0
    private var unflushedBytes = 0
    private var pendingClose: EventLoopPromise<Void>?

    private struct Answer {
        var isStreamed = false
        var omitsBody = false
        var closesConnection = false
        /// Of a short answer: when this is out, all of it is.
        var done: EventLoopPromise<Void>?
    }

    init(_ counters: Counters) {
        self.counters = counters
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = Self.unwrapInboundIn(data) { pendingHeads.append(head.method == .head) }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { departure.depart() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        departure.depart()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        departure.depart()
        pendingClose?.succeed()
        pendingClose = nil
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch Self.unwrapOutboundIn(data) {
        case .head(let head):
            if head.status.kind != .informational { begin(head) }
            context.write(data, promise: answer.omitsBody ? tracked(promise, bytes: 0, context) : promise)
        case .body(let bytes):
            guard !answer.omitsBody else {
                promise?.succeed()
                return
            }
            let done = tracked(promise, bytes: bytes.readableBytes, context)
            if !answer.isStreamed { answer.done = done }
            context.write(data, promise: done)
        case .end:
            end(context, data, promise)
        }
    }

    private func begin(_ head: HTTPResponse) {
        let hasLength = head.headerFields.contains(.contentLength)
        answer = Answer(
            isStreamed: !hasLength, omitsBody: pendingHeads.first ?? false,
            closesConnection: head.headerFields.only(.connection) == "close")
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        _ = pendingHeads.popFirst()
        let done = answer.done
        answer.done = nil
        if let done, promise == nil {
            if answer.closesConnection { halfClose(context, after: done) }
            return context.write(data, promise: nil)
        }
        let last = tracked(promise, bytes: 0, context)
        if answer.closesConnection { halfClose(context, after: last) }
        // The codec would end a chunked body here, and a HEAD has none.
        if answer.omitsBody, answer.isStreamed { return last.succeed() }
        context.write(data, promise: last)
    }

    private func tracked(
        _ promise: EventLoopPromise<Void>?, bytes: Int, _ context: ChannelHandlerContext
    ) -> EventLoopPromise<Void> {
        let promise = promise ?? context.eventLoop.makePromise()
        pendingWrites += 1
        unflushedBytes += bytes
        counters.holdsUnflushed(unflushedBytes)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.pendingWrites -= 1
            self.unflushedBytes -= bytes
            if self.pendingWrites == 0, let close = self.pendingClose {
                self.pendingClose = nil
                context.close(promise: close)
            }
        }
        return promise
    }

    private func halfClose(_ context: ChannelHandlerContext, after done: EventLoopPromise<Void>) {
        done.futureResult.assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
            _ = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerLimit) {
                context.close(promise: nil)
            }
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, pendingWrites > 0, context.channel.isActive else {
            return context.close(mode: mode, promise: promise)
        }
        if let pendingClose { return pendingClose.futureResult.cascade(to: promise) }
        let close = promise ?? context.eventLoop.makePromise()
        pendingClose = close
        context.flush()
        _ = context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainLimit) {
            guard self.pendingClose != nil else { return }
            self.pendingClose = nil
            context.close(promise: close)
        }
    }
}

extension ConnectionOutlet {
    /// What tells that the client of a channel, which this handler is part of, has left.
    static func departure(of channel: any Channel) async throws -> ClientDeparture {
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: ConnectionOutlet.self).departure
        }.get()
    }
}
