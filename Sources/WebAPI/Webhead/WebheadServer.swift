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
    public struct Options: Sendable {
        /// A name or an address.
        public var host: String
        /// 0 for any free one.
        public var port: Int
        /// Health and metrics, instead of what browsers ask for.
        public var isForOperators = false
        /// `nil`: plain HTTP.
        public var tls: TLSOptions?
        public var connections = ConnectionLimits()
        /// Of their bodies the smaller limit holds, this one or that of `WebheadOptions`.
        public var requests = RequestLimits()
        /// That of all listeners of a process.
        public var drain = Drain()
        /// Takes a line for who runs the webhead.
        public var note: @Sendable (String) -> Void = { _ in }

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// What the listeners of one webhead share.
    public struct Shared: Sendable {
        public let metrics: Metrics
        fileprivate let intake: BrowserIntake

        /// - Parameter log: of the spool; stays the caller's.
        public init(
            log: EventLog, keys: SessionKeys, options: WebheadOptions, surroundings: WebheadSurroundings
        ) {
            metrics = Metrics(of: log, forwarding: surroundings.figures)
            intake = BrowserIntake(
                log: log, keys: keys, options: options, surroundings: surroundings,
                blobs: BlobIntake(resolution: log.resolution, unknownFields: options.unknownFields))
        }
    }

    /// Connections that the system keeps until they are accepted.
    private static let backlog = 1_024

    private let intake: BrowserIntake
    private let metrics: Metrics
    private let options: Options
    private let certificates: ServerCertificates?
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameter onListening: called once, with the port, when requests can come.
    /// - Throws: where the certificates cannot be used.
    public init(
        _ shared: Shared, options: Options, logger: Logger, onListening: @escaping @Sendable (Int) async -> Void
    ) throws(TLSFault) {
        certificates = try options.tls.map { tls throws(TLSFault) in
            try ServerCertificates(tls, note: options.note)
        }
        var intake = shared.intake
        intake.options.isSecure = intake.options.isSecure || certificates != nil
        self.intake = intake
        metrics = shared.metrics
        self.options = options
        self.logger = logger
        self.onListening = onListening
    }

    /// Loads the certificates again, for connections that begin from then on. What cannot be used leaves the old ones,
    /// and is told. Blocks.
    public func reloadCertificates() { certificates?.reload() }

    /// Serves until it is told to shut down gracefully; then refuses what is new, `/readyz` among it, and returns when
    /// what was asked is answered. Where it is cancelled, connections are cut.
    ///
    /// - Throws: `Server.ListenFailure`.
    public func run() async throws {
        let blocking = NIOThreadPool(numberOfThreads: 1)
        blocking.start()
        let watch = certificates.map {
            CertificateWatch($0, on: MultiThreadedEventLoopGroup.singleton.next(), pool: blocking)
        }
        let result = await outcome(blocking)
        watch?.end()
        try await blocking.shutdownGracefully()
        try result.get()
    }

    private func outcome(_ blocking: NIOThreadPool) async -> Result<Void, any Error> {
        do {
            let drained = DrainedService(
                service: try listener(blocking), log: intake.log, drain: options.drain, note: options.note,
                logger: logger.quiet)
            try await drained.run()
            return .success(())
        } catch let error as IOError {
            return .failure(listenFailure(String(cString: strerror(error.errnoCode))))
        } catch is SocketAddressError.UnknownHost {
            return .failure(listenFailure("no such host"))
        } catch {
            return .failure(error)
        }
    }

    private func listenFailure(_ reason: String) -> Server.ListenFailure {
        Server.ListenFailure(description: "cannot listen on \(options.host):\(options.port): \(reason)")
    }

    private func listener(_ blocking: NIOThreadPool) throws -> any Service {
        let limits = options.connections.fitting(descriptors: Descriptors.limit)
        if limits.connections < options.connections.connections {
            options.note("at most \(limits.connections) connections: this process may have no more files open")
        }
        let loops = MultiThreadedEventLoopGroup.singleton
        let date = HTTPDate()
        let log = intake.log
        let service = WebheadService(
            intake, metrics, options.requests, options.drain, FailureLog(logger, uptime: { log.uptime() }),
            options.isForOperators ? .operators : .browsers, date)
        let onListening = onListening
        let listener = Listener(
            counters: metrics.counters, date: date, streams: ClientStreams(limits.streamsPerClient),
            answerer: { WebheadHandler(service, blocking) }, posts: nil, limits: limits, certificates: certificates)
        return try listener.builder(loops).buildServer(
            configuration: ServerConfiguration(
                address: .hostname(options.host, port: options.port), serverName: nil, backlog: Self.backlog,
                reuseAddress: true),
            eventLoopGroup: loops, logger: logger.quiet,
            responder: { _, writer, _ in
                // `WebheadHandler` lets no request through.
                try await writer.writeResponse(HTTPResponse(status: .internalServerError))
            },
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) })
    }
}
