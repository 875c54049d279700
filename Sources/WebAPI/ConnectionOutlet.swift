import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

// Sits between the HTTP codec and Hummingbird's handlers and mends what these leave open: a connection
// is closed only once what waits for its socket is out, an answer to HEAD has no body whatever its
// framing, `Connection: close` in an answer is kept, a header that is too large is told from what is no HTTP, and a
// client that leaves is noticed. A stream of HTTP/2 is a connection with one request: there, the end of an answer is
// always written, and what is not wanted of a body is refused by resetting the stream (RFC 9113 §8.1).

final class ConnectionOutlet: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a client that does not read may hold up the end of its connection.
    private static let drainLimit = TimeAmount.seconds(30)
    /// How long a client may go on sending what is not wanted, so that it sees the answer and no reset.
    private static let lingerLimit = TimeAmount.seconds(2)

    /// What carries the requests.
    enum Carrier {
        case http1
        case http1OverTLS
        case http2
    }

    let departure = ClientDeparture()
    let carrier: Carrier
    private let counters: Counters
    private let date: HTTPDate
    private var context: ChannelHandlerContext?
    private var isReading = false
    private var hasOverflown = false
    private var knownPeer: Peer?
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

    init(_ counters: Counters, _ carrier: Carrier, date: HTTPDate) {
        self.counters = counters
        self.carrier = carrier
        self.date = date
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// Who is at the other end; found out once.
    var peer: Peer {
        if let knownPeer { return knownPeer }
        let peer = context.map { find($0.channel) } ?? Peer()
        knownPeer = peer
        return peer
    }

    private func find(_ channel: any Channel) -> Peer {
        switch carrier {
        case .http1: Peer(address: channel.remoteAddress)
        case .http1OverTLS: Peer(ofTLS: channel)
        case .http2: HTTP2Rest.peer(ofStream: channel)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            pendingHeads.append(head.method == .head)
            isReading = true
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case HTTPParserError.headerOverflow = error { hasOverflown = true }
        context.fireErrorCaught(error)
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
        self.context = nil
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch Self.unwrapOutboundIn(data) {
        case .head(let head):
            // What cannot be read is answered with a bare 400, behind all that was.
            if hasOverflown, pendingHeads.isEmpty { return refuseHeader(context, promise) }
            if pendingHeads.isEmpty, head.status == .badRequest { counters.refuse("not_http", events: 0) }
            if head.status.kind != .informational { begin(head) }
            let done = answer.omitsBody ? tracked(promise, bytes: 0, context) : promise
            context.write(carrier == .http2 ? Self.withoutConnection(head, data) : data, promise: done)
        case .body(let bytes):
            // An empty one, which a writer waits with, is nothing to HTTP/1.1; to HTTP/2 it would be a frame, and two
            // of those end a connection of some clients.
            guard !answer.omitsBody, bytes.readableBytes > 0 || carrier != .http2 else {
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

    /// HTTP/2 has no such field (RFC 9113 §8.2.2).
    private static func withoutConnection(_ head: HTTPResponse, _ data: NIOAny) -> NIOAny {
        guard head.headerFields.contains(.connection) else { return data }
        var head = head
        head.headerFields[.connection] = nil
        return wrapOutboundOut(.head(head))
    }

    private func refuseHeader(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let problem = Problem.headerTooLarge
        counters.refuse(problem.reason, events: 0)
        let short = ShortAnswer(problem)
        var head = HTTPResponse(status: short.status, headerFields: short.fields)
        head.headerFields[.date] = date.now
        begin(head)
        context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        context.write(Self.wrapOutboundOut(.body(short.body)), promise: nil)
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        _ = pendingHeads.popFirst()
        let done = answer.done
        answer.done = nil
        if let done, promise == nil, carrier != .http2 {
            if answer.closesConnection { halfClose(context, after: done) }
            return context.write(data, promise: nil)
        }
        let last = tracked(promise, bytes: 0, context)
        if answer.closesConnection { halfClose(context, after: last) }
        // The codec would end a chunked body here, and a HEAD has none.
        if answer.omitsBody, answer.isStreamed, carrier != .http2 { return last.succeed() }
        context.write(data, promise: last)
    }

    /// For the promise of a write ahead of the codec.
    func track(_ bytes: Int) -> EventLoopPromise<Void>? {
        context.map { tracked(nil, bytes: bytes, $0) }
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
            guard self.carrier != .http2 else {
                guard self.isReading else { return }
                let reset = NIOHTTP2FramePayloadToHTTPEvent.reset(code: .noError)
                return context.triggerUserOutboundEvent(reset, promise: nil)
            }
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

    /// Waits for nothing where the connection is cut.
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ConnectionCut else { return context.triggerUserOutboundEvent(event, promise: promise) }
        let close = pendingClose
        pendingClose = nil
        context.close(promise: close ?? promise)
    }
}

/// Told to a channel whose connection is to end now, whatever waits for its socket.
struct ConnectionCut: Sendable {}

/// What a handler off the event loop has to know of the connection that a request came on.
struct RequestOrigin: Sendable {
    let peer: Peer
    /// Tells that the client has left.
    let departure: ClientDeparture
    /// Counted among those of its client already.
    let isStream: Bool

    /// - Parameter channel: has a `ConnectionOutlet`.
    init(_ channel: any Channel) async throws {
        self = try await channel.eventLoop.submit { try RequestOrigin(on: channel) }.get()
    }

    /// On the event loop.
    init(on channel: any Channel) throws {
        let outlet = try channel.pipeline.syncOperations.handler(type: ConnectionOutlet.self)
        peer = outlet.peer
        departure = outlet.departure
        isStream = outlet.carrier == .http2
    }
}
