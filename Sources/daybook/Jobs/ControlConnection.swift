import NIOCore

/// What a client of `control.sock` may take up.
struct ControlLimits: Sendable {
    /// Connections at once.
    var connections = 16
    /// Of a request, without its LF.
    var requestBytes = 64 << 10
    /// From the connection to its request.
    var requestTime = TimeAmount.seconds(5)
    /// A client that leaves so many bytes unread is given up.
    var unsentBytes = 16 << 20
    /// For the last of an answer to be read, when the server ends.
    var farewellTime = TimeAmount.seconds(1)
}

/// A request, and the way back to who made it.
struct AcceptedJob: Sendable {
    let request: JobRequest
    let answer: JobAnswer
}

/// One connection to `control.sock`: takes one request, within a time and a length, and hands it on.
final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Told to every connection when the server is about to end.
    struct ShutDown: Sendable {}

    private enum State {
        case waiting(deadline: Scheduled<Void>)
        case running(JobAnswer)
        case over
    }

    private let limits: ControlLimits
    private let refusal: JobRefusal?
    private let accept: @Sendable (AcceptedJob) -> Bool
    private var received = ByteBuffer()
    private var state = State.over

    /// - Parameters:
    ///   - refusal: why this client is refused, if it is.
    ///   - accept: takes a job; false where none begins any more.
    init(_ limits: ControlLimits, refusal: JobRefusal?, accept: @escaping @Sendable (AcceptedJob) -> Bool) {
        self.limits = limits
        self.refusal = refusal
        self.accept = accept
    }

    func channelActive(context: ChannelHandlerContext) {
        let answer = JobAnswer(context.channel, limits)
        if let refusal { return answer.refuse(refusal) }
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: limits.requestTime) {
            self.refuse(.slow(self.limits.requestTime), context)
        }
        state = .waiting(deadline: deadline)
        answer.beReady()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes behind the request is nothing to anybody.
        guard case .waiting(let deadline) = state else { return }
        received.writeImmutableBuffer(Self.unwrapInboundIn(data))
        let line = ControlLine.next(of: &received)
        guard (line ?? received).readableBytes <= limits.requestBytes else {
            return refuse(.tooLong(limits.requestBytes), context)
        }
        guard let line else { return }
        deadline.cancel()
        do throws(JobRefusal) {
            try begin(Self.request(in: line), context)
        } catch {
            refuse(error, context)
        }
    }

    private static func request(in line: ByteBuffer) throws(JobRefusal) -> JobRequest {
        let request: JobRequest
        do { request = try ControlLine.decoded(JobRequest.self, line) } catch { throw .nonsense }
        guard request.protocol == JobRequest.currentProtocol else { throw .otherProtocol }
        return request
    }

    private func begin(_ request: JobRequest, _ context: ChannelHandlerContext) throws(JobRefusal) {
        let answer = JobAnswer(context.channel, limits, isTerminal: request.terminal)
        state = .running(answer)
        guard accept(AcceptedJob(request: request, answer: answer)) else { throw .shutDown }
    }

    private func refuse(_ refusal: JobRefusal, _ context: ChannelHandlerContext) {
        if case .waiting(let deadline) = state { deadline.cancel() }
        state = .over
        JobAnswer(context.channel, limits).refuse(refusal)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ShutDown else { return context.fireUserInboundEventTriggered(event) }
        switch state {
        case .waiting: refuse(.shutDown, context)
        case .running(let answer): answer.show("daybook: the server is shutting down, and stops this job\n")
        case .over: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .waiting(let deadline) = state { deadline.cancel() }
        state = .over
        context.fireChannelInactive()
    }

    /// What breaks a connection harms no job.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
