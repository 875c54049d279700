import LogEngine
import NIOCore

// A parser, two sets of types for one header, and six handlers each way are half of what a small request costs. So a
// request in its plainest form (`PlainRequest`) is answered ahead of them all, from its bytes and in bytes. What is
// anything else passes as it came, and with it all that follows on its connection: so where a request begins is never
// a matter of two opinions.

/// What is behind a `PlainRequestHandler`; knows no connections.
protocol PlainAnswering: Sendable {
    /// What is kept of a request until what it brought is durable.
    associatedtype Waiting

    var answers: AnswerBoard { get }

    /// Takes the request that `bytes` begin with; `nil` where it is left to others: what is not plain, or would have
    /// to wait.
    func take(_ bytes: ByteBuffer, through channel: any Channel) -> PlainTaken<Waiting>?

    /// Begins to store what a request brought. Where there is nothing to store, returns the bytes of the answer, and
    /// nothing calls `completion`.
    func store(_ waiting: Waiting, completion: @escaping AppendCompletion) -> ByteBuffer?

    /// The bytes of the answer. Counts even if the client is gone by now.
    func answer(_ waiting: Waiting, to result: Result<AppendOutcome, StoreError>) -> ByteBuffer
}

/// A request that was taken, and what is to become of it.
struct PlainTaken<Waiting> {
    enum Next {
        case answer(ByteBuffer)
        case store(Waiting)
    }

    let byteCount: Int
    let next: Next
}

/// Answers plain requests ahead of the parser of HTTP/1.1.
final class PlainRequestHandler<Service: PlainAnswering>: ChannelDuplexHandler, RemovableChannelHandler, PostAnswering {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    private let service: Service
    private let outlet: ConnectionOutlet
    private let idle: IdleLimit
    /// `nil` once the connection is gone.
    private var context: ChannelHandlerContext?
    private var answers: LoopAnswers?
    private var isPassing = false
    /// What is being stored.
    private var waiting: Service.Waiting?
    /// What came in meanwhile.
    private var held = HeldReads<ByteBuffer>()
    /// Something was written and not sent.
    private var isUnsent = false

    /// - Parameters:
    ///   - outlet: of the same connection, told of the answers that wait for the socket.
    ///   - idle: of the same connection, told of the requests.
    init(_ service: Service, _ outlet: ConnectionOutlet, _ idle: IdleLimit) {
        self.service = service
        self.outlet = outlet
        self.idle = idle
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        answers = service.answers.answers(of: context.eventLoop)
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
        guard waiting == nil else { return held.hold(inbound) }
        switch inbound {
        case .part(let bytes):
            guard !isPassing, context.channel.isWritable, take(bytes, context) else { return pass(bytes, context) }
        case .event(let event):
            sendUnsent()
            context.fireUserInboundEventTriggered(event)
        case .error(let error):
            sendUnsent()
            context.fireErrorCaught(error)
        }
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        sendUnsent()
        isPassing = true
        context.fireChannelRead(Self.wrapInboundOut(bytes))
    }

    /// Before others learn of the connection what may make them close it.
    private func sendUnsent() {
        if isUnsent { sendAnswer() }
    }

    private func receiveHeld(_ context: ChannelHandlerContext) {
        while waiting == nil, let next = held.takeNext() { receive(next, context) }
    }

    // MARK: - Answering

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        guard let answers, let taken = service.take(bytes, through: context.channel) else { return false }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: taken.byteCount)
        if rest.readableBytes > 0 { held.putBack(rest) }
        idle.beginAnswer(at: context.eventLoop.now)
        switch taken.next {
        case .answer(let answer): answerSoon(answer, answers)
        case .store(let waiting):
            self.waiting = waiting
            let here = NIOLoopBound<any PostAnswering>(self, eventLoop: context.eventLoop)
            if let answer = service.store(waiting, completion: { answers.put($0, for: here) }) {
                self.waiting = nil
                answerSoon(answer, answers)
            }
        }
        return true
    }

    private func answerSoon(_ answer: ByteBuffer, _ answers: LoopAnswers) {
        write(answer)
        if !isUnsent { answers.sendLater(self) }
        isUnsent = true
    }

    func finish(_ result: Result<AppendOutcome, StoreError>) {
        guard let waiting else { return }
        self.waiting = nil
        write(service.answer(waiting, to: result))
        takeUpHeld()
    }

    private func takeUpHeld() {
        guard let context, !held.isEmpty else { return }
        receiveHeld(context)
        channelReadComplete(context: context)
        if held.takeRead() { context.read() }
    }

    private func write(_ answer: ByteBuffer) {
        guard let context else { return }
        idle.endAnswer(at: context.eventLoop.now)
        context.write(Self.wrapOutboundOut(answer), promise: outlet.track(answer.readableBytes))
    }

    func sendAnswer() {
        isUnsent = false
        context?.flush()
    }
}
