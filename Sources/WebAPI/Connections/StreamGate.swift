import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Refuses a stream of HTTP/2 that its client may not have, or whose header is too large, before anyone else sees it.
final class StreamGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private let streams: ClientStreams
    private let limits: ConnectionLimits
    private let counters: Counters
    private let date: HTTPDate
    private var stream: ClientStream?
    private var isRefused = false

    init(_ streams: ClientStreams, _ limits: ConnectionLimits, _ counters: Counters, _ date: HTTPDate) {
        (self.streams, self.limits) = (streams, limits)
        (self.counters, self.date) = (counters, date)
    }

    func handlerRemoved(context: ChannelHandlerContext) { stream = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = Self.unwrapInboundIn(data) {
            stream = streams.take(context.channel.remoteAddress)
            if stream == nil {
                refuse(.tooManyStreams, context)
            } else if isTooLarge(head) {
                refuse(.headerTooLarge, context)
            }
        }
        if !isRefused { context.fireChannelRead(data) }
    }

    /// As HTTP/1.1 counts them: a name, a value and the first line.
    private func isTooLarge(_ head: HTTPRequest) -> Bool {
        guard head.headerFields.count <= limits.headerFields else { return true }
        let bytes = head.headerFields.reduce(head.path?.utf8.count ?? 0) {
            $0 + $1.name.rawName.utf8.count + $1.value.utf8.count
        }
        return bytes > limits.headerBytes
    }

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        isRefused = true
        counters.refuse(problem.reason, events: 0)
        let answer = ShortAnswer(problem.closingConnection())
        var head = HTTPResponse(status: answer.status, headerFields: answer.fields)
        head.headerFields[.date] = date.now
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(answer.body)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
