import HTTPTypes
import LogEngine
import NIOCore

// A parser, two sets of types for one header, and six handlers each way are half of what a small POST costs. So a
// POST in its plainest form (`PlainPost`) is answered ahead of them all, from its bytes and in bytes. What is
// anything else passes as it came, and with it all that follows on its connection: so where a request begins is never
// a matter of two opinions.

/// Answers plain small POSTs ahead of the parser of HTTP/1.1.
final class PlainPostHandler: ChannelDuplexHandler, RemovableChannelHandler, PostAnswering {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    private struct Stored {
        let admission: Admission
        let body: ByteBuffer
        let visit: Visit
    }

    private let handler: RequestHandler
    private let outlet: ConnectionOutlet
    private let idle: IdleLimit
    /// `nil` once the connection is gone.
    private var context: ChannelHandlerContext?
    private var answers: LoopAnswers?
    private var isPassing = false
    /// What is being stored.
    private var stored: Stored?
    /// What came in meanwhile.
    private var held = HeldReads<ByteBuffer>()

    /// - Parameters:
    ///   - outlet: of the same connection, told of the answers that wait for the socket.
    ///   - idle: of the same connection, told of the requests.
    init(_ handler: RequestHandler, _ outlet: ConnectionOutlet, _ idle: IdleLimit) {
        self.handler = handler
        self.outlet = outlet
        self.idle = idle
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        answers = handler.answers.answers(of: context.eventLoop)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        held.dropAll()
    }

    // MARK: - In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(.part(Self.unwrapInboundIn(data)), context)
        receiveHeld(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        receive(.event(event), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        receive(.error(error), context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isPassing { context.fireChannelReadComplete() }
    }

    func read(context: ChannelHandlerContext) {
        if held.allowsRead() { context.read() }
    }

    private func receive(_ inbound: Inbound<ByteBuffer>, _ context: ChannelHandlerContext) {
        guard stored == nil else { return held.hold(inbound) }
        switch inbound {
        case .part(let bytes):
            guard !isPassing, context.channel.isWritable, store(bytes, context) else {
                isPassing = true
                return context.fireChannelRead(Self.wrapInboundOut(bytes))
            }
        case .event(let event): context.fireUserInboundEventTriggered(event)
        case .error(let error): context.fireErrorCaught(error)
        }
    }

    private func receiveHeld(_ context: ChannelHandlerContext) {
        while stored == nil, let next = held.takeNext() { receive(next, context) }
    }

    // MARK: - Storing

    /// `false` where it is left to others: what is no plain POST, would have to wait, or will be refused.
    private func store(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        guard let answers,
            let post = bytes.withUnsafeReadableBytes({ handler.plainPost($0, through: context.channel) }),
            let body = bytes.getSlice(at: bytes.readerIndex + post.headBytes, length: post.bodyBytes),
            let batch = try? EventDecoder.decodeSmall(body, resolution: handler.log.resolution), !batch.isEmpty,
            let admission = handler.log.admitNow(body.readableBytes)
        else { return false }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: post.byteCount)
        if rest.readableBytes > 0 { held.putBack(rest) }
        idle.beginAnswer(at: context.eventLoop.now)
        var visit = handler.visit(to: .storeEvents)
        do throws(Problem) {
            try visit.enter(handler.gate, Client(context.channel.remoteAddress))
        } catch {
            refuse(error, for: error, lines: 0, visit)
            sendAnswer()
            return true
        }
        handler.counters.receive(bytes: body.readableBytes)
        stored = Stored(admission: admission, body: body, visit: visit)
        let here = NIOLoopBound<any PostAnswering>(self, eventLoop: context.eventLoop)
        handler.log.append(batch, delivery: nil) { answers.put($0, for: here) }
        return true
    }

    /// Counts even if the client is gone by now.
    func finish(_ result: Result<AppendOutcome, StoreError>) {
        guard let stored else { return }
        stored.admission.release()
        self.stored = nil
        do throws(StoreError) {
            let receipt = handler.intake.receipt(of: try result.get())
            write(AnswerBytes.receipt(receipt, date: handler.date.now), .created, receipt.readableBytes, stored.visit)
        } catch {
            let lines = stored.body.withUnsafeReadableBytes { $0.lineCount }
            refuse(Problem(error), for: error, lines: lines, stored.visit)
        }
        takeUpHeld()
    }

    private func takeUpHeld() {
        guard let context, !held.isEmpty else { return }
        receiveHeld(context)
        channelReadComplete(context: context)
        if held.takeRead() { context.read() }
    }

    // MARK: - Out

    private func refuse(_ problem: Problem, for error: any Error, lines: Int, _ visit: Visit) {
        handler.counters.refuse(problem.reason, events: lines)
        let answer = handler.refusal(problem, for: error)
        let bytes = AnswerBytes.answer(handler.head(answer.status, answer.fields), answer.body)
        write(bytes, answer.status, answer.body.readableBytes, visit)
    }

    private func write(_ bytes: ByteBuffer, _ status: HTTPResponse.Status, _ bodyBytes: Int, _ visit: Visit) {
        handler.end(visit, status)
        guard let context else { return }
        handler.counters.send(bytes: bodyBytes)
        idle.endAnswer(at: context.eventLoop.now)
        context.write(Self.wrapOutboundOut(bytes), promise: outlet.track(bytes.readableBytes))
    }

    func sendAnswer() { context?.flush() }
}
