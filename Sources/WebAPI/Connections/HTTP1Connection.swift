import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// A connection that speaks HTTP/1.1, whose plain small requests are answered ahead of the parser.
struct HTTP1Connection: ServerChildChannel {
    let channel: HTTP1Channel
    /// Answers those; `nil`: nothing.
    let ahead: Listener.Ahead?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        self.channel.setup(channel: channel, logger: logger).flatMapThrowing { value in
            guard let ahead = self.ahead else { return value }
            let pipeline = channel.pipeline.syncOperations
            let handler = ahead(
                try pipeline.handler(type: ConnectionOutlet.self), try pipeline.handler(type: IdleLimit.self))
            try pipeline.addHandler(handler, position: .before(pipeline.handler(type: HTTPResponseEncoder.self)))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await channel.handle(value: value, logger: logger)
    }
}
