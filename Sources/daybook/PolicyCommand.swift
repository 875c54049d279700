import ArgumentParser
import LogEngine
import SegmentFormat

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Says which events are kept, and for how long.",
        discussion: """
            A store keeps its events for ever until it has a policy. A policy does nothing by itself: daybook purge, or \
            maintain, removes what is due, oldest first, and leaves alone what is held (daybook hold). A policy that the configuration \
            file names wins: it is the store's as soon as a server is started with it, and cannot be set here.
            """,
        subcommands: [Set.self, Show.self])

    struct Set: StreamJob {
        static let job = JobKind.policy

        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Changes the policy.",
            discussion: """
                Changes what is named, and leaves the rest of the policy as it is; prints the policy that then holds.

                \(Self.beside)

                Examples:
                  daybook policy set --max-age 90d
                  daybook policy set --max-bytes 10GiB --min-free none
                """)

        @OptionGroup var store: StreamOptions
        @OptionGroup var configured: ConfigurationOptions

        @Option(help: ArgumentHelp("Events that are older go: 90d, 12h, or none.", valueName: "time"))
        var maxAge: Limit<Span>?

        @Option(
            help: ArgumentHelp(
                "The oldest go while there is more: 10GiB, from 64KiB to 1PiB, or none.", valueName: "size"))
        var maxBytes: Limit<ByteSize>?

        @Option(
            help: ArgumentHelp(
                "The oldest go while the file system has less free: 5GiB, from 64KiB to 1PiB, or none.",
                valueName: "size"))
        var minFree: Limit<ByteSize>?

        @Flag(help: "Take every limit away.")
        var forever = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            let isNamed = maxAge != nil || maxBytes != nil || minFree != nil
            guard isNamed != forever else {
                throw ValidationError(
                    forever
                        ? "--forever cannot be used with a limit."
                        : "Name a limit: --max-age, --max-bytes, --min-free or --forever.")
            }
        }

        func run() async throws {
            for stream in store.streams {
                let named = try configured.namedPolicy(of: store.data, stream, Console.current)
                if let named { throw named.refusal }
            }
            try await JobRunner(directory: store.place, arguments: Daybook.arguments).run(self)
        }

        func run(on log: EventLog, _ console: Console) async throws {
            if let named = JobBoard.current.policy { throw named.refusal }
            var policy = log.policy
            if let maxAge { policy.maxAgeMilliseconds = maxAge.value?.milliseconds }
            if let maxBytes { policy.maxBytes = maxBytes.value.map { UInt64($0.bytes) } }
            if let minFree { policy.minFreeBytes = minFree.value.map { UInt64($0.bytes) } }
            try await log.setPolicy(forever ? .forever : policy)
            let report = PolicyReport(log.snapshot(), named: nil)
            try console.write(json ? report.json.line(of: log) : report.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Tells what the policy is.",
            discussion: """
                And what it means now: events before the horizon are gone; those before the time beside max-age go with \
                the next purge. Works beside a running server.
                """)

        @OptionGroup var store: StreamOptions
        @OptionGroup var configured: ConfigurationOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let console = Console.current
            try store.onEach(console, json: json) { options in
                let named = try configured.namedPolicy(of: store.data, options.stream, console)
                let (snapshot, notes) = try StoreReader.snapshot(
                    of: store.data, options: options, environment: .system)
                for note in notes { console.say(note) }
                let report = PolicyReport(snapshot, named: named)
                try console.write(json ? report.json.line(of: options.stream) : report.text)
            }
        }
    }
}

/// A policy, and what it means now.
private struct PolicyReport {
    private let policy: RetentionPolicy
    private let horizon: Bucket
    /// Where `max_age` puts the horizon.
    private let due: Bucket?
    /// The one that wins.
    private let named: NamedPolicy?

    init(_ snapshot: LogSnapshot, named: NamedPolicy?) {
        self.named = named
        policy = snapshot.policy
        horizon = snapshot.horizon
        let now = WallClock.now()
        due = policy.maxAgeMilliseconds.map { snapshot.resolution.bucket(of: now - min($0, now)) }
    }

    var text: String {
        let age = policy.maxAgeMilliseconds.map(durationText) ?? "none"
        return """
            max-age    \(age)\(due.map { ": events before \(timeText($0.milliseconds)) are due" } ?? "")
            max-bytes  \(Self.text(policy.maxBytes))
            min-free   \(Self.text(policy.minFreeBytes))
            horizon    \(horizon > .earliest ? timeText(horizon.milliseconds) : "none")
            \(origin)
            """
    }

    private var origin: String {
        guard let named else { return "" }
        let isTakenUp = named.policy == policy ? "" : ", which the next start of a server takes up"
        return "named by   \(named.place)\(isTakenUp)\n"
    }

    private static func text(_ bytes: UInt64?) -> String {
        bytes.map { ByteSize(Int(clamping: $0)).defaultValueDescription } ?? "none"
    }

    var json: JSONValue {
        .object([
            ("max_age", Self.json(policy.maxAgeMilliseconds)), ("max_bytes", Self.json(policy.maxBytes)),
            ("min_free", Self.json(policy.minFreeBytes)), ("due", Self.json(due?.milliseconds)),
            ("horizon", .number(horizon.milliseconds)),
            ("named_by", named.map { .text($0.place) } ?? .null),
            ("taken_up", .bool(named.map { $0.policy == policy } ?? true)),
        ])
    }

    private static func json(_ number: UInt64?) -> JSONValue { number.map { .number($0) } ?? .null }
}
