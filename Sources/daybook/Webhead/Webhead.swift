import Forwarding
import LogEngine
import ServiceLifecycle
import Settings
import WebAPI

/// A webhead of this process: its spool, which it has open, its listeners, and what forwards; and the order in which
/// they end.
struct Webhead: Service {
    let log: EventLog
    private let data: String
    private let forwarding: ForwardingService
    private let servers: [WebheadServer]
    private let counts: MinuteCounts
    private let drainLimit: Duration
    private let console: Console

    /// How long requests in flight may take to finish, as those of a store (SPEC K4).
    private static let requestLimit = Duration.seconds(23)

    /// How long its end may take.
    var shutdownLimit: Duration { Self.requestLimit + drainLimit }

    /// What it tells of itself, and to whom.
    struct Voices: Sendable {
        /// Shows the addresses that are listened on, and nothing else.
        let output: Console
        /// Whose talk is logged.
        let console: Console
        /// Counts addresses that are listened on.
        let ready: Countdown
    }

    /// Opens the spool; to be closed by whoever opened it.
    static func open(_ plan: WebheadPlan, _ environment: Environment, _ voices: Voices) async throws -> Webhead {
        let console = voices.console
        let log = try EventLog.open(
            plan.data, options: Spool.options(plan.forwarding.bounds, resolution: plan.resolution),
            environment: environment)
        log.tellFindings(console)
        do {
            return try Webhead(plan, log, environment, voices)
        } catch {
            try await log.close()
            throw error
        }
    }

    private init(_ plan: WebheadPlan, _ log: EventLog, _ environment: Environment, _ voices: Voices) throws {
        let console = voices.console
        let spool = try Spool(log, in: plan.data, environment)
        for note in spool.notes { console.say(note) }
        let keys = try SessionKeyFile.keys(at: plan.sessionKeys ?? "\(plan.data)/session.key")
        let forwarding = ForwardingService(spool, plan.forwarding, environment) { console.say($0) }
        let shared = WebheadServer.Shared(
            log: log, keys: keys, options: plan.browsers, surroundings: .of(forwarding, environment))
        let drain = Drain()
        servers = try plan.listeners.map { try Self.server($0, shared, drain, voices) }
        counts = MinuteCounts(metrics: shared.metrics, logger: voices.output.logger)
        (self.log, self.forwarding, self.console) = (log, forwarding, console)
        (data, drainLimit) = (plan.data, plan.drainLimit)
    }

    private static func server(
        _ listener: WebheadPlan.Listener, _ shared: WebheadServer.Shared, _ drain: Drain, _ voices: Voices
    ) throws -> WebheadServer {
        let name = listener.name.isEmpty ? "" : " (\(listener.name))"
        var options = listener.server
        options.listener.drain = drain
        let (scheme, host) = (options.listener.tls == nil ? "http" : "https", options.listener.host)
        return try WebheadServer(shared, options: options, logger: voices.output.logger) { port in
            voices.output.say("listening on \(scheme)://\(Address(host: host, port: port))\(name)")
            voices.ready.count()
        }
    }

    func reloadCertificates() {
        for server in servers { server.reloadCertificates() }
    }

    func close() async throws { try await log.close() }

    /// Serves and forwards until it is told to shut down gracefully; then forwards what is in the spool for a while.
    func run() async throws {
        let forwarder = Task { try await forwarding.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await serve()) } catch { result = .failure(error) }
        if case .success = result { await drain() }
        forwarding.end()
        try await forwarder.value
        try result.get()
    }

    private func serve() async throws {
        var services: [any Service] = servers as [any Service] + [Chore { [counts] in await counts.run() }]
        if let control = await control() { services.append(control) }
        try await ServedTogether(services: services).run()
    }

    /// Events are taken even where jobs cannot be, on a file system without sockets.
    private func control() async -> SpoolControl? {
        let layout = Spool.layout(data)
        do {
            var options = ControlServer.Options()
            options.parse = { try Daybook.spoolJob($0) }
            return SpoolControl(
                server: try await ControlServer(JobPlace(log), layout, console, options), forwarding: forwarding)
        } catch {
            console.say("\(layout.controlSocket): \(plainWords(error)); no job can run while this webhead does")
            return nil
        }
    }

    private func drain() async {
        let limit = drainLimit
        let isDone = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await forwarding.drain() }
            group.addTask {
                // Where it is cancelled there is no time left, either.
                do { try await Task.sleep(for: limit) } catch { return false }
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
private struct SpoolControl: Service {
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
