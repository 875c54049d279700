import HummingbirdCore
import NIOCore
import NIOPosix

/// What every connection that is accepted becomes.
struct Listener: Sendable {
    /// A handler of a connection's bytes, which tells the two others what it answers.
    typealias Ahead = @Sendable (ConnectionOutlet, IdleLimit) -> any RemovableChannelHandler

    let counters: Counters
    let date: HTTPDate
    /// Of clients with HTTP/2, and those who follow.
    let streams: ClientStreams
    /// What answers them, one of a connection.
    let answerer: @Sendable () -> any RemovableChannelHandler
    /// What answers those that it passes.
    let responder: HTTPChannelHandler.Responder
    /// What answers plain requests ahead of the parser; `nil`: nothing.
    let ahead: Ahead?
    let limits: ConnectionLimits
    /// `nil`: plain HTTP/1.1.
    let certificates: ServerCertificates?

    func builder(_ loops: MultiThreadedEventLoopGroup) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            guard let certificates else {
                return LoopChannel(http1(.http1, responder), loops: loops, room: room(told: date))
            }
            let secure = SecureChannel(
                certificates: certificates, http1: http1(.http1OverTLS, responder),
                http2: HTTP2Setup(limits: limits, handlers: { handlers(.http2) }),
                handshakeLimit: TimeAmount(limits.header),
                counters: counters)
            return LoopChannel(secure, loops: loops, room: room(told: nil))
        }
    }

    private func room(told date: HTTPDate?) -> ConnectionRoom {
        ConnectionRoom(count: ConnectionCount(limits.connections), counters: counters, date: date)
    }

    private func http1(
        _ carrier: ConnectionOutlet.Carrier, _ responder: @escaping HTTPChannelHandler.Responder
    ) -> HTTP1Connection {
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: handlers(carrier),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
                maxHeaderFieldCount: limits.headerFields))
        return HTTP1Connection(
            channel: HTTP1Channel(responder: responder, configuration: configuration), ahead: ahead)
    }

    private func handlers(_ carrier: ConnectionOutlet.Carrier) -> [any RemovableChannelHandler] {
        [ConnectionOutlet(counters, carrier, date: date)] + gates(of: carrier)
            + [IdleLimit(limits, counters, date: date), answerer()]
    }

    private func gates(of carrier: ConnectionOutlet.Carrier) -> [any RemovableChannelHandler] {
        carrier == .http2 ? [StreamGate(streams, limits, counters, date)] : []
    }
}

extension Listener {
    /// For those who store and read events.
    init(handler: RequestHandler, limits: ConnectionLimits, certificates: ServerCertificates?) {
        self.init(
            counters: handler.counters, date: handler.date, streams: handler.streams,
            answerer: { SmallPostHandler(handler) },
            responder: { request, writer, channel in
                try await handler.respond(to: request, writer: writer, channel: channel)
            },
            ahead: { outlet, idle in
                guard let users = handler.users else { return PlainRequestHandler(handler, outlet, idle) }
                return PlainRequestHandler(PlainUsers(handler, users.store), outlet, idle)
            }, limits: limits, certificates: certificates)
    }
}
