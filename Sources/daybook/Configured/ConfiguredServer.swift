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
    private let console: Console

    /// How long requests in flight may take to finish.
    private static let shutdownLimit = Duration.seconds(60)

    init(_ configuration: Configuration, _ hangups: UnixSignalsSequence, _ console: Console) {
        self.configuration = configuration
        self.hangups = hangups
        self.console = console
    }

    /// Returns when a signal has ended it, and everything is closed.
    func run() async throws {
        var stores: [ConfiguredStore] = []
        var failure: (any Error)?
        do {
            for data in directories { stores.append(try await ConfiguredStore(data, configuration, console)) }
            try await serve(stores)
        } catch {
            failure = error
        }
        // Where several fail, the first is the one to tell.
        for store in stores {
            await store.audit.flush(all: true)
            do { try await store.log.close() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// Of the listeners, each once.
    private var directories: [String] {
        configuration.listeners.compactMap(\.data).reduce(into: []) { directories, data in
            if !directories.contains(where: { DataDirectory.isSame($0, data) }) { directories.append(data) }
        }
    }

    private func serve(_ stores: [ConfiguredStore]) async throws {
        var logger = Logger(label: "daybook", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        if let threads = configuration.threads { NIOSingletons.groupLoopCountSuggestion = threads }
        var services: [any Service] = []
        var servers: [Server] = []
        for store in stores {
            servers += try listeners(of: store).map { try server($0, store, logger) }
            if let control = await store.control(console) { services.append(control) }
            services += store.chores as [any Service]
            if let schedule = configuration.maintenance { services.append(store.upkeep(schedule, console)) }
        }
        services += servers as [any Service] + [CertificateReloads(hangups: hangups, servers: servers)]
        var group = ServiceGroupConfiguration(
            services: [ServedTogether(services: services)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        )
        group.maximumGracefulShutdownDuration = Self.shutdownLimit
        try await ServiceGroup(configuration: group).run()
    }

    private func listeners(of store: ConfiguredStore) -> [Listener] {
        configuration.listeners.filter { $0.data.map { DataDirectory.isSame($0, store.data) } ?? false }
    }

    private func server(_ listener: Listener, _ store: ConfiguredStore, _ logger: Logger) throws -> Server {
        let scheme = listener.tls == nil ? "http" : "https"
        // The one that is there without a file needs no name.
        let name = listener.origin == .standard ? "" : " (\(listener.name))"
        return try Server(
            log: store.log, options: Server.Options(listener, store, console), logger: logger, metrics: store.metrics,
            onListening: { [console] port in
                console.say("listening on \(scheme)://\(Address(host: listener.address.host, port: port))\(name)")
            })
    }
}
