import ArgumentParser
import Forwarding
import LogEngine
import Logging
import NIOCore
import SegmentFormat
import Settings
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
            what is left is forwarded after the next start.

            Example:
              daybook webhead --data /var/spool/daybook --addr 0.0.0.0:8000 --secure \\
                --storage https://store1.internal:8080 --storage https://store2.internal:8080
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
        let console = Console.current
        let environment = Environment.system
        if let threads { NIOSingletons.groupLoopCountSuggestion = threads }
        var bounds = SpoolBounds()
        bounds.bytes = UInt64(spoolBytes.bytes)
        bounds.ageMilliseconds = spoolAge.map { Int64($0.milliseconds) }
        let log = try EventLog.open(
            data, options: Spool.options(bounds, resolution: resolution), environment: environment)
        for note in log.report.notes { console.say(note) }
        for found in log.report.faults { console.say(found.description) }
        let served: Result<Void, any Error>
        do {
            served = .success(try await serve(log, bounds, environment, console))
        } catch {
            served = .failure(error)
        }
        try await log.close()
        try served.get()
    }

    private func serve(
        _ log: EventLog, _ bounds: SpoolBounds, _ environment: Environment, _ console: Console
    ) async throws {
        let spool = try Spool(log, in: data, environment)
        for note in spool.notes { console.say(note) }
        let keys = try SessionKeyFile.keys(at: sessionKey ?? "\(data)/session.key")
        let forwarding = try ForwardingService(spool, try storage.options(bounds), environment) { console.say($0) }
        let shared = WebheadServer.Shared(
            log: log, keys: keys, options: browsers.options, surroundings: .of(forwarding, environment))
        let process = WebheadProcess(forwarding: forwarding, drainLimit: .milliseconds(Int64(drainFor.milliseconds)))
        try await process.run(log, shared, listeners, data, console)
    }

    private var listeners: [WebheadProcess.Listener] {
        let own = WebheadProcess.Listener(address: address, isForOperators: false)
        return [own] + (internalAddr.map { [.init(address: $0, isForOperators: true)] } ?? [])
    }
}
