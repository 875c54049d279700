import HummingbirdCore
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// The streams of a connection, each with one request; HTTP/1.1's loop over requests serves them.
typealias HTTP2Streams = NIOHTTP2Handler.AsyncStreamMultiplexer<HTTP1Channel.Value>

/// Makes an HTTP/2 connection of a channel, and of each stream what looks like a connection with one request.
struct HTTP2Setup: Sendable {
    /// What a stream may have waiting for its client before it is asked to wait: as with a socket.
    private static let outbound = 32 << 10...64 << 10
    /// What a client may send before it is read: of one stream, and of all.
    private static let streamWindow = 64 << 10
    private static let connectionWindow = 1 << 20

    let limits: ConnectionLimits
    /// Called for each stream.
    let handlers: @Sendable () -> [any RemovableChannelHandler]

    /// On the channel's event loop.
    func setUp(_ channel: any Channel) throws -> HTTP2Streams {
        let rest = HTTP2Rest(TimeAmount(limits.idle))
        let watch = HTTP2Rest.Watch(rest: NIOLoopBound(rest, eventLoop: channel.eventLoop))
        let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
            mode: .server, streamDelegate: watch, frameDelegate: rest, configuration: configuration
        ) { stream in
            stream.eventLoop.makeCompletedFuture { try setUp(stream: stream) }
        }
        try channel.pipeline.syncOperations.addHandler(rest)
        return streams
    }

    private func setUp(stream: any Channel) throws -> HTTP1Channel.Value {
        let pipeline = stream.pipeline.syncOperations
        try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
        try pipeline.addHandlers(handlers())
        return try HTTP1Channel.Value(wrappingChannelSynchronously: stream)
    }

    private var configuration: NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.streamsPerConnection),
            // Below it a header that is too large is answered; beyond, the connection ends. A field counts 32 more here.
            HTTP2Setting(parameter: .maxHeaderListSize, value: 2 * limits.headerBytes + 32 * limits.headerFields),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.streamWindow),
        ]
        configuration.connection.targetWindowSize = Self.connectionWindow
        configuration.stream.targetWindowSize = Self.streamWindow
        configuration.stream.outboundBufferSizeLowWatermark = Self.outbound.lowerBound
        configuration.stream.outboundBufferSizeHighWatermark = Self.outbound.upperBound
        return configuration
    }
}
