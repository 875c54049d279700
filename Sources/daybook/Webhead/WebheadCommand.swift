import ArgumentParser
import Forwarding
import LogEngine
import NIOCore
import SegmentFormat
import ServiceLifecycle
import Settings
import UnixSignals
import WebAPI

struct WebheadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhead", abstract: "Takes events from browsers, and forwards them to storage servers.",
        discussion: """
            What a browser posts is on the disk, in the spool, before it is answered, and leaves it when a storage server \
            has it: each event once, whatever is killed meanwhile. The first storage server that is well gets the events, \
            the next one while it is not. A batch that a server may have, because its answer was lost, goes to it alone \
            until it answers; daybook spool reassign decides otherwise. While no storage server answers, events are \
            taken until the spool is full.

            SIGTERM and SIGINT let what is in flight finish, forward what is in the spool for a while, and end with code 0; \
            what is left is forwarded after the next start. SIGHUP loads the certificates again, as a change of them does.

            A configuration file says the same for daybook serve: a listener with role: webhead.

            Example:
              daybook webhead --data /var/spool/daybook --addr 0.0.0.0:8000 \\
                --storage http://store1:8080 --storage http://store2:8080
            """)

    @Option(name: .long, help: ArgumentHelp("The directory of the spool.", valueName: "dir"), completion: .directory)
    var data = "./spool"

    @Option(
        name: .customLong("addr"),
        help: ArgumentHelp("Where browsers come, as 0.0.0.0:8000 or [::]:8000; port 0 for any.", valueName: "host:port")
    )
    var address = Address(host: "127.0.0.1", port: 8000)

    @Option(
        help: ArgumentHelp(
            "Where /metrics, /readyz and /livez are answered for those who run the webhead; /metrics nowhere else.",
            valueName: "host:port"))
    var internalAddr: Address?

    @OptionGroup var tls: ListenerTLSOptions
    @OptionGroup var storage: StorageArguments
    @OptionGroup var browsers: BrowserArguments

    @Option(
        help: ArgumentHelp(
            "Width of the buckets that timestamps are floored to. Fixed when the spool is made; 10m by default."))
    var resolution: Resolution?

    @Option(help: ArgumentHelp("The spool takes no more when its files have so many bytes.", valueName: "size"))
    var spoolBytes = ByteSize(10 << 30)

    @Option(help: ArgumentHelp("… or when an event has waited so long; any time by default.", valueName: "time"))
    var spoolAge: Span?

    @Option(
        help: ArgumentHelp(
            "Secrets that sessions are signed with, made if need be: hex, one a line, the first signs (default: "
                + "session.key in the directory). Webheads behind one name share them.", valueName: "file"),
        completion: .file())
    var sessionKey: String?

    @Option(help: ArgumentHelp("Forward for so long at the end.", valueName: "time"))
    var drainFor = Span(milliseconds: 30_000)

    @Option(help: ArgumentHelp("Threads that serve connections; one a core by default.", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if storage.servers.isEmpty { throw ValidationError("--storage names at least one storage server.") }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads is a number from 1 to 256.") }
    }

    func run() async throws {
        let output = Console.current
        let console = output.logging(to: output.logger)
        NIOSingletons.groupLoopCountSuggestion = threads ?? Cores.usable
        // From here on SIGHUP is a wish to reload, never the end.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let signals = await StopSignals()
        let plan = try plan(console)
        let manager = ServiceManager(socket: ProcessEnvironment.variables["NOTIFY_SOCKET"])
        let ready = Countdown(plan.listeners.count) { manager.tell(.ready).map { console.say($0) } }
        let webhead = try await Webhead.open(plan, .system, .init(output: output, console: console, ready: ready))
        let reloads = CertificateReloads(hangups: hangups) { webhead.reloadCertificates() }
        var quiet = output.logger
        quiet.logLevel = .error
        var configuration = ServiceGroupConfiguration(
            services: [ServedTogether(services: [webhead, reloads])], logger: quiet)
        configuration.maximumGracefulShutdownDuration = webhead.shutdownLimit
        let group = ServiceGroup(configuration: configuration)
        let stopping = Task { await signals.stop(group, console) { manager.tell(.stopping).map { console.say($0) } } }
        defer { stopping.cancel() }
        let served: Result<Void, any Error>
        do { served = .success(try await group.run()) } catch { served = .failure(error) }
        try await webhead.close()
        try served.get()
    }

    private var drainLimit: Duration { .milliseconds(Int64(drainFor.milliseconds)) }

    private func plan(_ console: Console) throws -> WebheadPlan {
        var bounds = SpoolBounds()
        bounds.bytes = UInt64(spoolBytes.bytes)
        bounds.ageMilliseconds = spoolAge.map { Int64($0.milliseconds) }
        var listeners = [listener("", address, console)]
        listeners[0].server.listener.tls = tls.files
        if let internalAddr {
            listeners.append(listener("internal", internalAddr, console))
            listeners[1].server.isForOperators = true
        }
        return WebheadPlan(
            data: data, resolution: resolution, sessionKeys: sessionKey, drainLimit: drainLimit,
            browsers: browsers.options, forwarding: try storage.options(bounds), listeners: listeners)
    }

    private func listener(_ name: String, _ address: Address, _ console: Console) -> WebheadPlan.Listener {
        var options = ListenerOptions(host: address.host, port: address.port)
        options.note = { console.say($0) }
        return WebheadPlan.Listener(name: name, server: WebheadServer.Options(options))
    }
}
