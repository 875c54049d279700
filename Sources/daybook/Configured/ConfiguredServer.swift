import LogEngine
import Logging
import NIOCore
import ServiceLifecycle
import Settings
import UnixSignals
import WebAPI

/// Serves what a configuration says: its stores, on its listeners, with the jobs beside them.
struct ConfiguredServer {
    private let configuration: Configuration
    /// SIGHUP.
    private let hangups: UnixSignalsSequence
    private let signals: StopSignals
    /// Shows the addresses that are listened on, and nothing else.
    private let output: Console
    private let logger: Logger
    /// Whose talk is logged.
    private let console: Console
    private let drain = Drain()
    private let manager = ServiceManager(socket: ProcessEnvironment.variables["NOTIFY_SOCKET"])

    /// When connections are cut that have not come to their end: some time behind the answers (SPEC K4).
    private static let shutdownLimit = Duration.seconds(23)

    init(
        _ configuration: Configuration, _ hangups: UnixSignalsSequence, _ signals: StopSignals, _ console: Console
    ) {
        self.configuration = configuration
        self.hangups = hangups
        self.signals = signals
        output = console
        logger = console.logger
        self.console = console.logging(to: logger)
    }

    /// Returns when a signal has ended it, and everything is closed.
    func run() async throws {
        let ready = Countdown(configuration.listeners.filter { $0.data != nil }.count) { [manager, console] in
            manager.tell(.ready).map { console.say($0) }
        }
        var stores: [ConfiguredStore] = []
        var webhead: Webhead?
        var failure: (any Error)?
        do {
            for data in configuration.storeDirectories {
                stores.append(try await ConfiguredStore(interactions: data, configuration, console))
            }
            for data in configuration.userDirectories {
                stores.append(try await ConfiguredStore(users: data, configuration, console))
            }
            // Before the first use of the loops, which what forwards makes.
            NIOSingletons.groupLoopCountSuggestion = configuration.threads ?? Cores.usable
            if let plan = try WebheadPlan(configuration, console) {
                let voices = Webhead.Voices(output: output, console: console, ready: ready)
                webhead = try await Webhead.open(plan, .system, voices)
            }
            try await serve(stores, webhead, ready)
        } catch {
            failure = error
        }
        // Where several fail, the first is the one to tell.
        for store in stores {
            do { try await store.close() } catch { failure = failure ?? error }
        }
        do { try await webhead?.close() } catch { failure = failure ?? error }
        if let failure { throw failure }
    }

    private func serve(
        _ stores: [ConfiguredStore], _ webhead: Webhead?, _ ready: Countdown
    ) async throws {
        var services: [any Service] = []
        var servers: [Server] = []
        for store in stores {
            servers += try configuration.listeners(of: store.data).map { try server($0, store, ready) }
            services += await store.services(configuration.maintenance, console, logger)
        }
        let all = servers
        let reloads = CertificateReloads(hangups: hangups) {
            for server in all { server.reloadCertificates() }
            webhead?.reloadCertificates()
        }
        services += servers as [any Service] + [reloads]
        var quiet = logger
        quiet.logLevel = .error
        var configuration = ServiceGroupConfiguration(services: [ServedTogether(services: services)], logger: quiet)
        configuration.maximumGracefulShutdownDuration = Self.shutdownLimit
        if let webhead {
            // It ends first: what it forwards at its end may go to the other listeners.
            configuration.services.append(.init(service: webhead))
            configuration.maximumGracefulShutdownDuration = Self.shutdownLimit + webhead.shutdownLimit
        }
        let group = ServiceGroup(configuration: configuration)
        let stopping = Task {
            await signals.stop(group, console) { manager.tell(.stopping).map { console.say($0) } }
        }
        defer { stopping.cancel() }
        do {
            try await group.run()
        } catch is CancellationError where drain.isStopping {
            // Who did not come to an end in time has been cut, and that was told.
        }
    }

    private func server(_ listener: Listener, _ store: ConfiguredStore, _ ready: Countdown) throws -> Server {
        var options = try Server.Options(listener, store.tokens, store.audit, drain, console)
        options.users = store.users
        let scheme = listener.tls == nil ? "http" : "https"
        // The one that is there without a file needs no name.
        let name = listener.origin == .standard ? "" : " (\(listener.name))"
        return try Server(
            log: store.log, options: options, logger: logger, metrics: store.metrics,
            onListening: { [output] port in
                output.say("listening on \(scheme)://\(Address(host: listener.address.host, port: port))\(name)")
                ready.count()
            })
    }
}
