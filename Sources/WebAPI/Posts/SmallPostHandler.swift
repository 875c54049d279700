import HTTPTypes
import LogEngine
import NIOCore
import NIOHTTPTypes

// One event a POST is how browsers and simple forwarders send, and then the way to Hummingbird and back
// (an async channel, a task, continuations) costs as much as all the rest. So a small POST that is here
// whole is decoded, appended and answered on the connection's event loop, for half the CPU (89 → 41 µs).
// Everything else passes untouched, and so does a POST that would have to wait or that is refused for
// its head.

/// Answers small POSTs ahead of Hummingbird, in the order of the requests.
final class SmallPostHandler: ChannelDuplexHandler, RemovableChannelHandler, PostAnswering {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private struct Stored {
        let admission: Admission
        let lines: Int
        let visit: Visit
    }

    private let handler: RequestHandler
    private var answers: LoopAnswers?
    /// `nil` once the connection is gone.
    private var context: ChannelHandlerContext?
    /// What is here of a POST, within one read.
    private var post: SmallPost?
    /// What is being stored.
    private var stored: Stored?
    /// What came in meanwhile.
    private var held = HeldReads<HTTPRequestPart>()
    /// Requests that were passed and have no answer yet.
    private var passed = 0

    init(_ handler: RequestHandler) {
        self.handler = handler
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
    }

    /// Among them the end of the client's side, and the shutdown of the server: an answer that is due
    /// goes before what they bring about.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        receive(.event(event), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        receive(.error(error), context)
    }

    /// A POST that is not here whole by the end of a read may take its time: it passes to where its body
    /// is admitted before it is read.
    func channelReadComplete(context: ChannelHandlerContext) {
        passPost(context)
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if held.allowsRead() { context.read() }
    }

    private func receive(_ inbound: Inbound<HTTPRequestPart>, _ context: ChannelHandlerContext) {
        guard stored == nil else { return held.hold(inbound) }
        switch inbound {
        case .part(.head(let head)) where passed == 0 && context.channel.isWritable:
            post = handler.smallPost(head, through: context.channel)
            if post == nil { pass(.head(head), context) }
        case .part(.body(let bytes)) where post != nil:
            post?.append(bytes)
        case .part(.end(nil)) where post != nil:
            end(context)
        case .part(let part):
            passPost(context)
            pass(part, context)
        case .event(let event):
            passPost(context)
            context.fireUserInboundEventTriggered(event)
        case .error(let error):
            passPost(context)
            context.fireErrorCaught(error)
        }
    }

    private func pass(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        if case .head = part { passed += 1 }
        context.fireChannelRead(Self.wrapInboundOut(part))
    }

    private func passPost(_ context: ChannelHandlerContext) {
        guard let post else { return }
        self.post = nil
        pass(.head(post.head), context)
        if post.body.readableBytes > 0 { pass(.body(post.body), context) }
    }

    // MARK: - Storing

    private func end(_ context: ChannelHandlerContext) {
        guard let post, let answers, let admission = handler.log.admitNow(post.body.readableBytes) else {
            passPost(context)
            return pass(.end(nil), context)
        }
        self.post = nil
        var visit = handler.visit(to: .storeEvents)
        do throws(Problem) {
            try visit.enter(handler.gate, Client(context.channel.remoteAddress))
        } catch {
            refuse(error, for: error, lines: 0, visit)
            return sendAnswer()
        }
        handler.counters.receive(bytes: post.body.readableBytes)
        do throws(Problem) {
            try store(post, admission, answers, context, visit)
        } catch {
            refuse(error, for: error, lines: post.lines, visit)
            sendAnswer()
        }
    }

    private func store(
        _ post: SmallPost, _ admission: Admission, _ answers: LoopAnswers, _ context: ChannelHandlerContext,
        _ visit: Visit
    ) throws(Problem) {
        let log = handler.log
        let batch = try EventDecoder.decodeSmall(post.body, resolution: log.resolution)
        guard !batch.isEmpty else {
            write(ShortAnswer(receipt: handler.intake.receiptOfNothing()), visit)
            return sendAnswer()
        }
        let delivery = post.key?.delivery(of: post.body, secret: log.deliverySecret)
        let here = NIOLoopBound<any PostAnswering>(self, eventLoop: context.eventLoop)
        stored = Stored(admission: admission, lines: post.lines, visit: visit)
        log.append(batch, delivery: delivery) { answers.put($0, for: here) }
    }

    /// Counts even if the client is gone by now.
    func finish(_ result: Result<AppendOutcome, StoreError>) {
        guard let stored else { return }
        stored.admission.release()
        self.stored = nil
        do throws(StoreError) {
            write(ShortAnswer(receipt: handler.intake.receipt(of: try result.get())), stored.visit)
        } catch {
            refuse(Problem(error), for: error, lines: stored.lines, stored.visit)
        }
        takeUpHeld()
    }

    private func takeUpHeld() {
        guard let context, !held.isEmpty else { return }
        while stored == nil, let next = held.takeNext() { receive(next, context) }
        channelReadComplete(context: context)
        if held.takeRead() { context.read() }
    }

    // MARK: - Out

    private func refuse(_ problem: Problem, for error: any Error, lines: Int, _ visit: Visit) {
        handler.counters.refuse(problem.reason, events: lines)
        write(handler.refusal(problem, for: error), visit)
    }

    private func write(_ answer: ShortAnswer, _ visit: Visit) {
        handler.end(visit, answer.status)
        guard let context else { return }
        handler.counters.send(bytes: answer.body.readableBytes)
        context.write(Self.wrapOutboundOut(.head(handler.head(answer.status, answer.fields))), promise: nil)
        context.write(Self.wrapOutboundOut(.body(answer.body)), promise: nil)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func sendAnswer() { context?.flush() }

    /// Of the answer to a request that was passed, or to what is none.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { passed = max(passed - 1, 0) }
        context.write(data, promise: promise)
    }
}
