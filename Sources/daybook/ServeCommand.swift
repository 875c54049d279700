import ArgumentParser
import LogEngine
import Logging
import NIOCore
import SegmentFormat
import ServiceLifecycle
import UnixSignals
import WebAPI

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves a data directory over HTTP.",
        discussion: """
            Makes the directory if need be. Prints one line on standard error when requests can come. SIGTERM and \
            SIGINT let what is in flight finish, close the store and end with code 0. What daybook seal, policy and hold \
            do with the same directory meanwhile is done here.

            With --tls-cert and --tls-key it speaks TLS 1.2 and 1.3 alone, with HTTP/1.1 and HTTP/2. With --tls-ca clients \
            must show a certificate that one of those vouches for. The files are loaded again when they change, and on \
            SIGHUP; what cannot be used leaves the old ones serving. The key must be its owner's alone.

            Examples:
              daybook serve --data /var/lib/daybook --addr 0.0.0.0:8080 --resolution 1h
              daybook serve --tls-cert my.pem --tls-key my.key --tls-ca clients.pem
            """)

    @OptionGroup var store: DataOptions

    @Option(
        name: .customLong("addr"),
        help: ArgumentHelp("The address, as 127.0.0.1:8080 or [::1]:8080; port 0 for any.", valueName: "host:port"))
    var address = Address(host: "127.0.0.1", port: 8080)

    @Option(
        help: ArgumentHelp(
            "Width of the buckets that timestamps are floored to, as 10m, 1h or 1ms. Fixed when the store is made; "
                + "10m by default."))
    var resolution: Resolution?

    @Option(help: ArgumentHelp("Seal a segment at so many raw bytes, from 64KiB to 1TiB.", valueName: "size"))
    var sealBytes = ByteSize(LogOptions().sealBytes)

    @Option(help: ArgumentHelp("Seal a segment at this age, as 10m or 1h.", valueName: "time"))
    var sealAfter = Span(milliseconds: LogOptions().sealMilliseconds)

    @Option(
        help: ArgumentHelp(
            "Hold so much of the file system in reserve, from 64KiB to 1TiB, for what must be written when it is "
                + "full. Events that would leave less than 16MiB free beside it are refused.",
            valueName: "size"))
    var reserve = ByteSize(Int(LogOptions().reserveBytes))

    @Option(help: ArgumentHelp("Threads that serve connections; one a core by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var tls: ListenerTLSOptions

    /// How long requests in flight may take to finish.
    private static let shutdownLimit = Duration.seconds(60)

    private static let largest = ByteSize(1 << 40)

    func validate() throws {
        for (name, size) in [("--seal-bytes", sealBytes), ("--reserve", reserve)] where size.bytes > Self.largest.bytes
        {
            throw ValidationError("\(name) is at most \(Self.largest.defaultValueDescription).")
        }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads is a number from 1 to 256.") }
    }

    func run() async throws {
        let console = Console.current
        // From here on SIGHUP is a wish to reload, never the end.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        var options = LogOptions()
        options.resolution = resolution
        options.sealBytes = sealBytes.bytes
        options.sealMilliseconds = sealAfter.milliseconds
        options.reserveBytes = UInt64(reserve.bytes)
        let log = try EventLog.open(store.data, options: options, environment: .system)
        for note in log.report.notes { console.say(note) }
        for found in log.report.faults { console.say(found.description) }
        let served: Result<Void, any Error>
        do {
            served = .success(try await serve(log, hangups, console))
        } catch {
            served = .failure(error)
        }
        try await log.close()
        try served.get()
    }

    private func serve(_ log: EventLog, _ hangups: UnixSignalsSequence, _ console: Console) async throws {
        var logger = Logger(label: "daybook", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        if let threads { NIOSingletons.groupLoopCountSuggestion = threads }
        let address = address
        var serving = Server.Options(host: address.host, port: address.port)
        serving.tls = tls.options
        serving.note = { console.say($0) }
        let scheme = serving.tls == nil ? "http" : "https"
        let server = try Server(
            log: log, options: serving, logger: logger,
            onListening: { port in
                console.say("listening on \(scheme)://\(Address(host: address.host, port: port).description)")
            })
        var configuration = ServiceGroupConfiguration(
            services: [ServedLog(server: server, hangups: hangups, control: await control(log, console))],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.shutdownLimit
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Events are served even where jobs cannot be, on a file system without sockets.
    private func control(_ log: EventLog, _ console: Console) async -> ControlServer? {
        let layout = Layout(data: store.data, stream: LogOptions().stream)
        do {
            return try await ControlServer(log, layout, console)
        } catch {
            console.say("\(layout.controlSocket): \(plainWords(error)); no job can run while this server does")
            return nil
        }
    }
}
