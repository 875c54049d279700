import HummingbirdCore
import NIOCore
import NIOPosix

/// What every connection that is accepted becomes.
struct Listener: Sendable {
    let handler: RequestHandler
    let limits: ConnectionLimits
    /// `nil`: plain HTTP/1.1.
    let certificates: ServerCertificates?

    func builder(_ loops: MultiThreadedEventLoopGroup) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            guard let certificates else {
                let http1 = HTTP1Channel(responder: responder, configuration: http1(.http1))
                return LoopChannel(http1, loops: loops, room: room(told: handler.date))
            }
            let secure = SecureChannel(
                certificates: certificates,
                http1: HTTP1Channel(responder: responder, configuration: http1(.http1OverTLS)),
                http2: HTTP2Setup(limits: limits, handlers: http2Handlers), handshakeLimit: TimeAmount(limits.header),
                counters: handler.counters)
            return LoopChannel(secure, loops: loops, room: room(told: nil))
        }
    }

    private func room(told date: HTTPDate?) -> ConnectionRoom {
        ConnectionRoom(count: ConnectionCount(limits.connections), counters: handler.counters, date: date)
    }

    private func http1(_ carrier: ConnectionOutlet.Carrier) -> HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: handlers(carrier),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
                maxHeaderFieldCount: limits.headerFields))
    }

    private func http2Handlers() -> [any RemovableChannelHandler] {
        var handlers = handlers(.http2)
        handlers.insert(StreamGate(handler), at: 1)
        return handlers
    }

    private func handlers(_ carrier: ConnectionOutlet.Carrier) -> [any RemovableChannelHandler] {
        [
            ConnectionOutlet(handler.counters, carrier, date: handler.date),
            IdleLimit(limits, handler.counters, date: handler.date), SmallPostHandler(handler),
        ]
    }
}
