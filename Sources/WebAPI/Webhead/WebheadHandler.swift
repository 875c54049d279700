import HTTPTypes
import LogEngine
import NIOCore
import NIOHTTPTypes

// Every request of a webhead is small and every answer short, so all are answered on the connection's event loop,
// ahead of Hummingbird, which sees none (compare `SmallPostHandler`).

/// Answers browsers, in the order of their requests.
final class WebheadHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private enum Inbound {
        case part(HTTPRequestPart)
        case event(Any)
        case error(any Error)
    }

    private enum State {
        case idle
        case reading(HTTPRequest, ByteBuffer)
        /// What comes until its answer is out is held.
        case storing
        /// The rest of a body that nobody wants; the connection is about to close.
        case ignoring
    }

    private let service: WebheadService
    /// `nil` once the connection is gone.
    private var context: ChannelHandlerContext?
    private var state = State.idle
    private var held = CircularBuffer<Inbound>()
    private var readIsHeld = false

    init(_ service: WebheadService) { self.service = service }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        held.removeAll()
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

    private func receive(_ inbound: Inbound, _ context: ChannelHandlerContext) {
        if case .storing = state { return held.append(inbound) }
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
        let announced = head.headerFields.only(.contentLength).flatMap { Int($0) }
        if let announced, announced > service.bodyBytes { return refuseBody(head) }
        state = .reading(head, ByteBuffer())
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
    }

    private func add(_ bytes: ByteBuffer) {
        guard case .reading(let head, var body) = state else { return }
        guard body.readableBytes + bytes.readableBytes <= service.bodyBytes else { return refuseBody(head) }
        // The buffer has one owner again, so that it is not copied.
        state = .idle
        if body.readableBytes == 0 { body = bytes } else { body.writeImmutableBuffer(bytes) }
        state = .reading(head, body)
    }

    private func refuseBody(_ head: HTTPRequest) {
        state = .ignoring
        write(service.refuse(.browserBodyTooLarge(service.bodyBytes)), to: head)
    }

    private func end(_ context: ChannelHandlerContext) {
        guard case .reading(let head, let body) = state else { return }
        state = .idle
        switch service.answer(head, body) {
        case .now(let answer): write(answer, to: head)
        case .stored(let batch, let admission, let changes):
            state = .storing
            let here = NIOLoopBound(self, eventLoop: context.eventLoop)
            let lines = batch.lineCount
            service.intake.log.append(batch, delivery: nil) { result in
                here.eventLoop.execute {
                    admission.release()
                    let answer = here.value.service.answer(to: result, lines: lines, changes)
                    here.value.finish(answer, head)
                }
            }
        }
    }

    private func finish(_ answer: ShortAnswer, _ head: HTTPRequest) {
        state = .idle
        write(answer, to: head)
        guard let context, !held.isEmpty else { return }
        while let next = held.popFirst() {
            receive(next, context)
            if case .storing = state { return }
        }
        takeUpReading(context)
    }

    // MARK: - Out

    private func write(_ answer: ShortAnswer, to head: HTTPRequest) {
        guard let context else { return }
        var answer = service.finished(answer, for: head)
        if head.headerFields[.connection]?.lowercased() == "close" { answer.fields[.connection] = "close" }
        if answer.fields.only(.connection) == "close" { state = .ignoring }
        context.write(Self.wrapOutboundOut(.head(service.head(answer.status, answer.fields))), promise: nil)
        context.write(Self.wrapOutboundOut(.body(answer.body)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}

extension WebheadHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPResponsePart

    /// While a post is being stored and more has come, and while answers are not taken, the socket is not read.
    func read(context: ChannelHandlerContext) {
        guard held.isEmpty, context.channel.isWritable else {
            readIsHeld = true
            return
        }
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takeUpReading(context)
        context.fireChannelWritabilityChanged()
    }

    private func takeUpReading(_ context: ChannelHandlerContext) {
        guard readIsHeld, held.isEmpty, context.channel.isWritable else { return }
        readIsHeld = false
        context.read()
    }
}
