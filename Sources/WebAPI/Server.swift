import HummingbirdCore
import LogEngine
import Logging
import NIOCore
import NIOPosix
import SegmentFormat
import ServiceLifecycle

/// The HTTP surface of a log.
public struct Server: Service {
    public struct Options: Sendable {
        /// A name or an address.
        public var host: String
        /// 0 for any free one.
        public var port: Int
        /// `nil`: plain HTTP.
        public var tls: TLSOptions?
        public var connections = ConnectionLimits()
        /// Takes a line for who runs the server.
        public var note: @Sendable (String) -> Void = { _ in }
        public var role = Role.interactions
        public var requests = RequestLimits()
        /// That of all listeners of a process.
        public var drain = Drain()
        /// Who is let in.
        public var access = AccessPolicy(stream: StreamName.interactions.description, now: Environment.system.now)
        /// Where accesses are recorded; `nil`: nowhere.
        public var audit: AccessAudit?
        /// The longest silence of a stream of changes.
        var heartbeat = Duration.seconds(15)

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// The server could not listen where it was told to.
    public struct ListenFailure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Connections that the system keeps until they are accepted.
    private static let backlog = 1_024

    /// What became of the events that were sent here.
    public var counters: Counters { metrics.counters }
    private let metrics: Metrics
    private let log: EventLog
    private let options: Options
    private let logger: Logger
    private let certificates: ServerCertificates?
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - log: stays open when the server ends; it belongs to the caller.
    ///   - metrics: those of the log, where several servers share it.
    ///   - onListening: called once, with the port, when requests can come.
    /// - Throws: where the certificates cannot be used.
    public init(
        log: EventLog, options: Options, logger: Logger, metrics: Metrics? = nil,
        onListening: @escaping @Sendable (Int) async -> Void
    ) throws(TLSFault) {
        certificates = try options.tls.map { tls throws(TLSFault) in
            try ServerCertificates(tls, note: options.note)
        }
        self.log = log
        self.metrics = metrics ?? Metrics(of: log)
        self.options = options
        self.logger = logger
        self.onListening = onListening
    }

    /// Loads the certificates again, for connections that begin from then on. What cannot be used leaves the old ones,
    /// and is told. Blocks.
    public func reloadCertificates() {
        guard let certificates else { return options.note("there are no certificates to load again") }
        certificates.reload()
    }

    /// Serves until it is told to shut down gracefully; then refuses what is new, `/readyz` among it, lets the
    /// requests in flight finish, ends those that follow the log, and returns when the last byte is out. What takes
    /// longer than `Drain.limit` ends as incomplete. Where it is cancelled, connections are cut.
    ///
    /// - Throws: `ListenFailure`.
    public func run() async throws {
        let blocking = NIOThreadPool(numberOfThreads: max(System.coreCount, 4))
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
                service: try service(blocking), log: log, drain: options.drain, note: options.note, logger: quietLogger)
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

    private var quietLogger: Logger { logger.quiet }

    private func listenFailure(_ reason: String) -> ListenFailure {
        ListenFailure(description: "cannot listen on \(options.host):\(options.port): \(reason)")
    }

    private func service(_ blocking: NIOThreadPool) throws -> any Service {
        let limits = options.connections.fitting(descriptors: Descriptors.limit)
        if limits.connections < options.connections.connections {
            options.note("at most \(limits.connections) connections: this process may have no more files open")
        }
        let handler = RequestHandler(
            log: log, blocking: blocking, metrics: metrics, logger: logger, options: options, limits: limits)
        let listener = Listener(handler: handler, limits: limits, certificates: certificates)
        let onListening = onListening
        // Never shut down: the last of a connection is let go after it has been served.
        let loops = MultiThreadedEventLoopGroup.singleton
        return try listener.builder(loops).buildServer(
            configuration: ServerConfiguration(
                address: .hostname(options.host, port: options.port), serverName: nil, backlog: Self.backlog,
                reuseAddress: true),
            eventLoopGroup: loops, logger: quietLogger,
            responder: { request, writer, channel in
                try await handler.respond(to: request, writer: writer, channel: channel)
            },
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) })
    }
}
