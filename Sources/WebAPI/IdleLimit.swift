import HTTPTypes
import NIOCore
import NIOHTTPTypes

// Ahead of Hummingbird, whose own limit does not see what a handler before it answers.

/// Closes a connection that is silent for too long, between requests or in the middle of one, and one whose client
/// does not come to the end of a header or a body; never while a request that was read is being answered. One timer a
/// connection, set again when it comes too early.
final class IdleLimit: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ConnectionLimits
    private let counters: Counters
    private let date: HTTPDate
    private var pace: RequestPace
    private var timer: Scheduled<Void>?
    /// The client was told that it is too slow: what comes now is not looked at.
    private var isOver = false

    init(_ limits: ConnectionLimits, _ counters: Counters, date: HTTPDate) {
        self.limits = limits
        self.counters = counters
        self.date = date
        pace = RequestPace(limits, now: .uptimeNanoseconds(0))
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
        guard !isOver else { return }
        pace.read(Self.unwrapInboundIn(data), at: context.eventLoop.now)
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if pace.endRead(at: context.eventLoop.now) { setTimer(context) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { pace.answer(at: context.eventLoop.now) }
        context.write(data, promise: promise)
    }

    /// A request was read whole ahead of the parser.
    func beginAnswer(at now: NIODeadline) { pace.take(at: now) }

    /// It has its answer.
    func endAnswer(at now: NIODeadline) { pace.answer(at: now) }

    private func begin(_ context: ChannelHandlerContext) {
        pace = RequestPace(limits, now: context.eventLoop.now)
        setTimer(context)
    }

    private func setTimer(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let deadline = pace.deadline?.0 ?? context.eventLoop.now + TimeAmount(limits.idle)
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        guard let (deadline, overdue) = pace.deadline, deadline <= context.eventLoop.now else {
            return setTimer(context)
        }
        switch overdue {
        case .idle: context.close(promise: nil)
        case .header: refuse(context)
        }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        isOver = true
        let problem = Problem.headerTooSlow
        counters.refuse(problem.reason, events: 0)
        let answer = ShortAnswer(problem)
        var head = HTTPResponse(status: answer.status, headerFields: answer.fields)
        head.headerFields[.date] = date.now
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(answer.body)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
