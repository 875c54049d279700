import Forwarding
import LogEngine
import Logging
import ServiceLifecycle
import Settings
import WebAPI

/// Listeners, jobs and forwarding of a webhead, and the order in which they end.
struct WebheadProcess: Sendable {
    struct Listener: Sendable {
        let address: Address
        let isForOperators: Bool
    }

    let forwarding: ForwardingService
    /// How long the spool is emptied at the end.
    let drainLimit: Duration

    /// How long requests in flight may take to finish.
    private static let shutdownLimit = Duration.seconds(60)

    /// Serves until a signal ends it.
    func run(
        _ log: EventLog, _ shared: WebheadServer.Shared, _ listeners: [Listener], _ directory: String,
        _ console: Console
    ) async throws {
        let forwarder = Task { try await forwarding.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await serve(log, shared, listeners, directory, console))
        } catch {
            result = .failure(error)
        }
        if case .success = result { await drain(console) }
        forwarding.end()
        try await forwarder.value
        try result.get()
    }

    private func serve(
        _ log: EventLog, _ shared: WebheadServer.Shared, _ listeners: [Listener], _ directory: String,
        _ console: Console
    ) async throws {
        var logger = Logger(label: "daybook", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        var services: [any Service] = []
        if let control = await control(log, directory, console) { services.append(control) }
        for listener in listeners {
            let (address, isForOperators) = (listener.address, listener.isForOperators)
            services.append(
                WebheadServer(
                    shared, host: address.host, port: address.port, isForOperators: isForOperators, logger: logger
                ) { port in
                    let url = "http://\(Address(host: address.host, port: port).description)"
                    console.say(isForOperators ? "health and metrics on \(url)" : "listening on \(url)")
                })
        }
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.shutdownLimit
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Events are taken even where jobs cannot be, on a file system without sockets.
    private func control(_ log: EventLog, _ directory: String, _ console: Console) async -> SpoolControl? {
        let layout = Spool.layout(directory)
        do {
            var options = ControlServer.Options()
            options.parse = { try Daybook.spoolJob($0) }
            return SpoolControl(
                server: try await ControlServer(log, layout, console, options), forwarding: forwarding)
        } catch {
            console.say("\(layout.controlSocket): \(plainWords(error)); no job can run while this webhead does")
            return nil
        }
    }

    private func drain(_ console: Console) async {
        let forwarding = forwarding
        let limit = drainLimit
        let isDone = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await forwarding.drain() }
            group.addTask {
                do { try await Task.sleep(for: limit) } catch {}
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        guard !isDone else { return }
        let left = forwarding.status.waitingEvents
        if left > 0 { console.say("\(left.grouped) events are left in the spool; the next start forwards them") }
    }
}

/// Jobs of the spool, beside a webhead.
struct SpoolControl: Service {
    let server: ControlServer
    let forwarding: ForwardingService

    func run() async throws {
        try await ForwardingService.$current.withValue(forwarding) { try await server.run() }
    }
}

extension ForwardingService {
    /// Of the webhead that this task is part of; `nil` elsewhere.
    @TaskLocal static var current: ForwardingService?
}

extension Daybook {
    /// The job of a command line, where it is one of the spool: others would take events that are not sent.
    static func spoolJob(_ arguments: [String]) throws -> any JobCommand {
        let job = try job(arguments)
        guard job is any SpoolJob else {
            throw CommandFailure(.usage, "'\(arguments.joined(separator: " "))' is no job for a webhead")
        }
        return job
    }
}
