import NIOCore

/// Tells a client that there is no room for its connection, and closes it.
final class RefusedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// So that the client, which may have sent a request by now, sees the answer and no reset.
    private static let lingerLimit = TimeAmount.seconds(1)

    /// `nil` where it is just closed.
    private let answer: ByteBuffer?

    init(_ answer: ByteBuffer?) {
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let answer else { return context.close(promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil)
        context.close(mode: .output, promise: nil)
        _ = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerLimit) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelReadComplete(context: ChannelHandlerContext) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
    }

    /// A whole answer of HTTP/1.1.
    static func answer(_ problem: Problem, date: String) -> ByteBuffer {
        let body = problem.body
        var bytes = ByteBuffer(string: "HTTP/1.1 \(problem.status.code) \(problem.status.reasonPhrase)\r\n")
        bytes.writeString("Date: \(date)\r\nContent-Type: \(MediaType.problem)\r\n")
        for field in problem.fields { bytes.writeString("\(field.name): \(field.value)\r\n") }
        bytes.writeString("Content-Length: \(body.readableBytes)\r\nConnection: close\r\n\r\n")
        bytes.writeImmutableBuffer(body)
        return bytes
    }
}
