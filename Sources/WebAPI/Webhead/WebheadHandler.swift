import HTTPTypes
import Interactions
import LogEngine
import NIOCore
import NIOHTTPTypes
import NIOPosix
import SegmentFormat

// Every request of a webhead is small and every answer short, so all are answered on the connection's event loop,
// ahead of Hummingbird, which sees none (compare `SmallPostHandler`).

/// Answers browsers, in the order of their requests.
final class WebheadHandler: ChannelInboundHandler, RemovableChannelHandler, PostAnswering {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private struct Exchange {
        let head: HTTPRequest
        var visit: Visit
        var body = ByteBuffer()
    }

    private enum State {
        case idle
        case reading(Exchange)
        /// What comes until its answer is out is held.
        case answering
        /// The rest of a body that nobody wants; the connection is about to close.
        case ignoring
    }

    /// What is being stored, and for whom.
    private struct Stored {
        let exchange: Exchange
        let events: WebheadService.NewEvents
    }

    private let service: WebheadService
    /// For what blocks.
    private let blocking: NIOThreadPool
    /// `nil` once the connection is gone.
    private var context: ChannelHandlerContext?
    private var stored: Stored?
    private var state = State.idle
    /// What came in while an answer is made.
    private var held = HeldReads<HTTPRequestPart>()

    init(_ service: WebheadService, _ blocking: NIOThreadPool) { (self.service, self.blocking) = (service, blocking) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        if case .reading(let exchange) = state { exchange.visit.end() }
        (self.context, state) = (nil, .ignoring)
        held.dropAll()
    }

    // MARK: - In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(.part(Self.unwrapInboundIn(data)), context)
    }

    /// Among them the end of the client's side, and the shutdown of the server: an answer that is due goes before
    /// what they bring about.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        receive(.event(event), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        receive(.error(error), context)
    }

    private func receive(_ inbound: Inbound<HTTPRequestPart>, _ context: ChannelHandlerContext) {
        if case .answering = state { return held.hold(inbound) }
        if case .ignoring = state, case .part = inbound { return }
        switch inbound {
        case .part(.head(let head)): begin(head, context)
        case .part(.body(let bytes)): add(bytes)
        case .part(.end): end(context)
        case .event(let event): context.fireUserInboundEventTriggered(event)
        case .error(let error): context.fireErrorCaught(error)
        }
    }

    private func begin(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        let exchange = Exchange(head: head, visit: service.visit(head))
        let announced = head.headerFields.only(.contentLength).flatMap { Int($0) }
        if let announced, announced > service.bodyBytes { return refuseBody(of: exchange) }
        state = .reading(exchange)
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
    }

    private func add(_ bytes: ByteBuffer) {
        guard case .reading(var exchange) = state else { return }
        guard exchange.body.readableBytes + bytes.readableBytes <= service.bodyBytes else {
            return refuseBody(of: exchange)
        }
        // The buffer has one owner again, so that it is not copied.
        state = .idle
        if exchange.body.readableBytes == 0 { exchange.body = bytes } else { exchange.body.writeImmutableBuffer(bytes) }
        state = .reading(exchange)
    }

    private func refuseBody(of exchange: Exchange) {
        state = .ignoring
        write(service.refuse(.browserBodyTooLarge(service.bodyBytes)), to: exchange)
        sendAnswer()
    }

    private func end(_ context: ChannelHandlerContext) {
        guard case .reading(var exchange) = state else { return }
        state = .idle
        let reply = service.answer(
            exchange.head, exchange.body, &exchange.visit, from: Client(context.channel.remoteAddress))
        switch reply {
        case .now(let answer):
            write(answer, to: exchange)
            sendAnswer()
        case .later(let make): answer(exchange, context, make)
        case .stored(let events): store(events, exchange, context)
        }
    }

    private func store(
        _ events: WebheadService.NewEvents, _ exchange: Exchange, _ context: ChannelHandlerContext
    ) {
        state = .answering
        stored = Stored(exchange: exchange, events: events)
        let answers = service.answers.answers(of: context.eventLoop)
        let here = NIOLoopBound<any PostAnswering>(self, eventLoop: context.eventLoop)
        service.intake.log.append(events.lines, delivery: nil) { answers.put($0, for: here) }
    }

    /// Counts even if the client is gone by now.
    func finish(_ result: Result<AppendOutcome, StoreError>) {
        guard let stored else { return }
        self.stored = nil
        finish(service.answer(stored.events, to: result), stored.exchange)
    }

    func sendAnswer() { context?.flush() }

    private func answer(
        _ exchange: Exchange, _ context: ChannelHandlerContext, _ make: @escaping @Sendable () -> ShortAnswer
    ) {
        state = .answering
        let here = NIOLoopBound((self, exchange), eventLoop: context.eventLoop)
        blocking.runIfActive(eventLoop: context.eventLoop) { make() }.whenComplete { result in
            let (handler, exchange) = here.value
            switch result {
            case .success(let answer): handler.finish(answer, exchange)
            // At the end of the process.
            case .failure: handler.finish(handler.service.refuse(.brokenWebhead), exchange)
            }
            handler.sendAnswer()
        }
    }

    private func finish(_ answer: ShortAnswer, _ exchange: Exchange) {
        state = context == nil ? .ignoring : .idle
        write(answer, to: exchange)
        guard let context, !held.isEmpty else { return }
        while let next = held.takeNext() {
            receive(next, context)
            if case .answering = state { return }
        }
        takeUpReading(context)
    }

    // MARK: - Out

    private func write(_ answer: ShortAnswer, to exchange: Exchange) {
        let head = exchange.head
        service.end(exchange.visit, answer, head.method)
        guard let context else { return }
        var answer = service.finished(answer, for: head)
        let isLast = head.headerFields[.connection]?.lowercased() == "close" || head.asksForOtherProtocol
        if isLast { answer.fields[.connection] = "close" }
        if answer.fields.only(.connection) == "close" { state = .ignoring }
        context.write(Self.wrapOutboundOut(.head(service.head(answer))), promise: nil)
        context.write(Self.wrapOutboundOut(.body(answer.body)), promise: nil)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}

extension WebheadHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPResponsePart

    /// While a post is being stored and more has come, and while answers are not taken, the socket is not read.
    func read(context: ChannelHandlerContext) {
        if held.allowsRead(isWritable: context.channel.isWritable) { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takeUpReading(context)
        context.fireChannelWritabilityChanged()
    }

    private func takeUpReading(_ context: ChannelHandlerContext) {
        if held.takeRead(isWritable: context.channel.isWritable) { context.read() }
    }
}
