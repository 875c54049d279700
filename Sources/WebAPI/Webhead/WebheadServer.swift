import HTTPTypes
import Interactions
import LogEngine
import Logging
import ServiceLifecycle

/// The HTTP surface of a webhead: a listener for browsers, or one for those who run it.
public struct WebheadServer: Service {
    public struct Options: Sendable {
        /// Of the limits of a body the smaller one holds, its own or that of `WebheadOptions`.
        public var listener: ListenerOptions
        /// Health and metrics, instead of what browsers ask for.
        public var isForOperators = false

        public init(_ listener: ListenerOptions) { self.listener = listener }
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

    private let intake: BrowserIntake
    private let metrics: Metrics
    private let options: Options
    private let service: ListenerService

    /// - Parameter onListening: called once, with the port, when requests can come.
    /// - Throws: where the certificates cannot be used.
    public init(
        _ shared: Shared, options: Options, logger: Logger, onListening: @escaping @Sendable (Int) async -> Void
    ) throws(TLSFault) {
        service = try ListenerService(shared.intake.log, options.listener, logger, onListening: onListening)
        var intake = shared.intake
        intake.options.isSecure = intake.options.isSecure || service.certificates != nil
        self.intake = intake
        metrics = shared.metrics
        self.options = options
    }

    /// Loads the certificates again, for connections that begin from then on. What cannot be used leaves the old ones,
    /// and is told. Blocks.
    public func reloadCertificates() { service.certificates?.reload() }

    /// Serves until it is told to shut down gracefully; then refuses what is new, `/readyz` among it, and returns when
    /// what was asked is answered. Where it is cancelled, connections are cut.
    ///
    /// - Throws: `ListenFailure`.
    public func run() async throws {
        let (date, log) = (HTTPDate(), service.log)
        let answers = WebheadService(
            intake, metrics, options.listener.requests, options.listener.drain,
            FailureLog(service.logger, uptime: { log.uptime() }), options.isForOperators ? .operators : .browsers, date)
        try await service.run(threads: 1) { blocking, limits in
            Listener(
                counters: metrics.counters, date: date, streams: ClientStreams(limits.streamsPerClient),
                answerer: { WebheadHandler(answers, blocking) },
                responder: { _, writer, _ in
                    // `WebheadHandler` lets no request through.
                    try await writer.writeResponse(HTTPResponse(status: .internalServerError))
                }, ahead: { PlainRequestHandler(PlainBrowsers(answers, limits), $0, $1) }, limits: limits,
                certificates: service.certificates)
        }
    }
}
