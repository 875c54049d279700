import ArgumentParser
import LogEngine
import SegmentFormat

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Prints the last events in the order in which they came.",
        discussion: """
            One event a line. With --since: those from that time on, or behind that event; all of them, unless -n. With \
            -f it then waits for what is stored next, until it is interrupted or its pipe is closed. Works beside a \
            running server.

            A server can be followed from now on, from behind an event, or from a time, which holds for the events to \
            come too; without -f it takes a time alone. It does not tell which of its events came last.

            \(TimeArgument.accepted) A bare number is the sequence of an event here.

            Examples:
              daybook tail -n 20
              daybook tail -f | jq -c .event_stream
              daybook tail -f --url http://127.0.0.1:8080
              daybook tail --since 1h -f --url http://127.0.0.1:8080
            """)

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp(
            "Begin at this time, or behind the event with this sequence or id.", valueName: "time|event"),
        transform: TailStart.init(_:))
    var since: TailStart?

    @Option(name: .customShort("n"), help: ArgumentHelp("How many events; 10 without --since.", valueName: "n"))
    var count: Int?

    @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on with what is stored next.")
    var follows = false

    private static let usualCount = 10

    func validate() throws {
        if let count, count < 0 { throw ValidationError("-n is at least 0.") }
        guard store.url != nil else { return }
        if let count {
            throw ValidationError(
                "A server does not tell which of its events came last, so --url takes no -n. "
                    + "`daybook read --order arrival --from 1h --url … | tail -n \(count)` gives the last of the last hour."
            )
        }
        if case .time? = since { return }
        if !follows { throw ValidationError("--url needs -f, or --since with a time, as --since 1h.") }
    }

    func run() async throws {
        let console = Console.current
        let range = since?.range(now: WallClock.now()) ?? 0 ... .max
        if let server = store.server { return try await tail(ServerReader(server, console), range) }
        var tail = DirectoryTail(store.directory, range: range, console)
        try tail.begin(after: since?.event, last: count ?? (since == nil ? Self.usualCount : nil))
        if follows { try await tail.follow() }
    }
}

extension TailCommand {
    private func tail(_ reader: ServerReader, _ range: ClosedRange<UInt64>) async throws {
        guard case .time? = since else { return try await reader.followChanges(after: since?.event) }
        let request = ScanRequest(range: range, order: .arrival)
        try await follows ? reader.follow(request) : reader.read(request, .ndjson)
    }
}

/// Where `tail` begins.
enum TailStart: Equatable {
    case time(TimeArgument)
    /// Behind the event with this sequence.
    case sequence(Sequence)
    case id(EventID)

    init(_ text: String) throws {
        if let id = EventID(text) {
            self = .id(id)
        } else if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text) {
            self = .sequence(Sequence(number))
        } else {
            self = .time(try TimeArgument(text))
        }
    }

    /// Milliseconds; everything where it is an event.
    func range(now: UInt64) -> ClosedRange<UInt64> {
        guard case .time(let time) = self else { return 0 ... .max }
        return time.range(now: now).lowerBound ... .max
    }

    /// `nil` where it is a time.
    var event: (store: StoreID?, sequence: Sequence)? {
        switch self {
        case .time: nil
        case .sequence(let sequence): (nil, sequence)
        case .id(let id): (id.store, id.sequence)
        }
    }
}
