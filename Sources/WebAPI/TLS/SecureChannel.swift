import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// A TLS connection that speaks HTTP/2 or HTTP/1.1, whichever the client prefers (ALPN).
struct SecureChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        fileprivate let negotiated: EventLoopFuture<Negotiated>
        let channel: any Channel
    }

    fileprivate enum Negotiated: Sendable {
        case http1(HTTP1Channel.Value)
        case http2(HTTP2Streams)
    }

    let certificates: ServerCertificates
    let http1: HTTP1Connection
    let http2: HTTP2Setup
    let handshakeLimit: TimeAmount
    let counters: Counters

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLServerHandler(context: certificates.context))
            try pipeline.addHandler(HandshakeLimit(handshakeLimit, counters))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler { result, channel in
                negotiated(result, channel, logger)
            }
            try pipeline.addHandler(negotiation)
            return Value(negotiated: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    private func negotiated(
        _ result: ALPNResult, _ channel: any Channel, _ logger: Logger
    ) -> EventLoopFuture<Negotiated> {
        guard case .negotiated("h2") = result else {
            return http1.setup(channel: channel, logger: logger).map { .http1($0) }
        }
        return channel.eventLoop.makeCompletedFuture { .http2(try http2.setUp(channel)) }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let streams):
                try await withThrowingDiscardingTaskGroup { group in
                    for try await stream in streams.inbound {
                        group.addTask { await http1.handle(value: stream, logger: logger) }
                    }
                }
            }
        } catch {
            // The connection has ended, in its handshake or later, and so have its requests.
            logger.trace("a TLS connection ended: \(error)")
        }
    }
}
