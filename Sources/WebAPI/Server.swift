import LogEngine
import Logging
import NIOCore
import SegmentFormat
import ServiceLifecycle
import UserMetadata

/// The HTTP surface of a log.
public struct Server: Service {
    public struct Options: Sendable {
        public var listener: ListenerOptions
        public var role = Role.interactions
        /// Of the role `user-metadata`, whose log is that of its logins; stays the caller's.
        public var users: UserStore?
        /// Who is let in.
        public var access = AccessPolicy(stream: StreamName.interactions.description, now: Environment.system.now)
        /// Where accesses are recorded; `nil`: nowhere.
        public var audit: AccessAudit?
        /// The longest silence of a stream of changes.
        var heartbeat = Duration.seconds(15)

        public init(_ listener: ListenerOptions) { self.listener = listener }

        public init(host: String, port: Int) { self.init(ListenerOptions(host: host, port: port)) }
    }

    /// What became of the events that were sent here.
    public var counters: Counters { metrics.counters }
    private let metrics: Metrics
    private let options: Options
    private let service: ListenerService

    /// - Parameters:
    ///   - log: stays open when the server ends; it belongs to the caller.
    ///   - metrics: those of the log, where several servers share it.
    ///   - onListening: called once, with the port, when requests can come.
    /// - Throws: where the certificates cannot be used.
    public init(
        log: EventLog, options: Options, logger: Logger, metrics: Metrics? = nil,
        onListening: @escaping @Sendable (Int) async -> Void
    ) throws(TLSFault) {
        service = try ListenerService(log, options.listener, logger, onListening: onListening)
        self.metrics = metrics ?? options.users.map { Metrics(of: $0) } ?? Metrics(of: log)
        self.options = options
    }

    /// Loads the certificates again, for connections that begin from then on. What cannot be used leaves the old ones,
    /// and is told. Blocks.
    public func reloadCertificates() {
        guard let certificates = service.certificates else {
            return options.listener.note("there are no certificates to load again")
        }
        certificates.reload()
    }

    /// Serves until it is told to shut down gracefully; then refuses what is new, `/readyz` among it, lets the
    /// requests in flight finish, ends those that follow the log, and returns when the last byte is out. What takes
    /// longer than `Drain.limit` ends as incomplete. Where it is cancelled, connections are cut.
    ///
    /// - Throws: `ListenFailure`.
    public func run() async throws {
        try await service.run(threads: max(System.coreCount, 4)) { blocking, limits in
            let handler = RequestHandler(
                log: service.log, blocking: blocking, metrics: metrics, logger: service.logger, options: options,
                limits: limits)
            return Listener(handler: handler, limits: limits, certificates: service.certificates)
        }
    }
}
