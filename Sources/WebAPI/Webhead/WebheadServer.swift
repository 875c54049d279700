import HTTPTypes
import HummingbirdCore
import Interactions
import LogEngine
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The HTTP surface of a webhead: a listener for browsers, or one for those who run it.
public struct WebheadServer: Service {
    private let service: WebheadService
    private let host: String
    private let port: Int
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    private static let backlog = 1_024
    private let connections = ConnectionLimits()

    /// What the listeners of one webhead share.
    public struct Shared: Sendable {
        public let counters = WebheadCounters()
        fileprivate let intake: BrowserIntake

        /// - Parameter log: of the spool; stays the caller's.
        public init(
            log: EventLog, keys: SessionKeys, options: WebheadOptions, surroundings: WebheadSurroundings
        ) {
            intake = BrowserIntake(
                log: log, keys: keys, options: options, surroundings: surroundings,
                blobs: BlobIntake(resolution: log.resolution, unknownFields: options.unknownFields))
        }
    }

    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - isForOperators: health and metrics, instead of what browsers ask for.
    ///   - onListening: called once, with the port, when requests can come.
    public init(
        _ shared: Shared, host: String, port: Int, isForOperators: Bool = false, logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void
    ) {
        service = WebheadService(shared.intake, shared.counters, isForOperators ? .operators : .browsers)
        self.host = host
        self.port = port
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until it is told to shut down gracefully; then accepts no more, and returns when what was asked
    /// is answered.
    ///
    /// - Throws: `Server.ListenFailure`.
    public func run() async throws {
        do {
            try await listener().run()
        } catch let error as IOError {
            throw listenFailure(String(cString: strerror(error.errnoCode)))
        } catch is SocketAddressError.UnknownHost {
            throw listenFailure("no such host")
        }
    }

    private func listenFailure(_ reason: String) -> Server.ListenFailure {
        Server.ListenFailure(description: "cannot listen on \(host):\(port): \(reason)")
    }

    private func listener() throws -> any Service {
        let loops = MultiThreadedEventLoopGroup.singleton
        let service = service
        let onListening = onListening
        let listener = Listener(
            counters: Counters(), date: HTTPDate(), answerer: { WebheadHandler(service) },
            limits: connections.fitting(descriptors: Descriptors.limit), certificates: nil)
        return try listener.builder(loops).buildServer(
            configuration: ServerConfiguration(
                address: .hostname(host, port: port), serverName: nil, backlog: Self.backlog, reuseAddress: true),
            eventLoopGroup: loops, logger: logger,
            responder: { _, writer, _ in
                // `WebheadHandler` lets no request through.
                try await writer.writeResponse(HTTPResponse(status: .internalServerError))
            },
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) })
    }
}
