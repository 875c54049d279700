import ArgumentParser
import LogEngine
import SegmentFormat

struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keeps ranges of time from being purged.",
        discussion: """
            Whatever the policy says, nothing in a range that is held goes, and neither does anything after it.
            """,
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: StreamJob {
        static let job = JobKind.hold

        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Holds a range.",
            discussion: """
                Both ends are in. Prints the hold and its number, by which it is removed.

                \(TimeArgument.accepted)

                \(Self.beside)

                Example:
                  daybook hold add --from 2026-01-01 --to 2026-03-31 --reason "audit, case 17"
                """)

        @OptionGroup var store: StreamOptions

        @Option(
            help: ArgumentHelp("First time; of a day its beginning.", valueName: "time"),
            transform: TimeArgument.parsed)
        var from: TimeArgument

        @Option(
            help: ArgumentHelp("Last time, itself included; of a day its end.", valueName: "time"),
            transform: TimeArgument.parsed)
        var to: TimeArgument

        @Option(help: ArgumentHelp("Why, in one line; kept with the hold.", valueName: "text"))
        var reason: String

        @Flag(help: "Print JSON.")
        var json = false

        func run(on log: EventLog, _ console: Console) async throws {
            let range = try RangeOptions.range(from: from, to: to, now: WallClock.now())
            let hold = try await log.addHold(range, reason: reason)
            try console.write(json ? hold.json.line(of: log) : hold.text)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Tells what is held.",
            discussion: "Works beside a running server.")

        @OptionGroup var store: StreamOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let console = Console.current
            try store.onEach(console, json: json) { options in
                let (snapshot, notes) = try StoreReader.snapshot(
                    of: store.data, options: options, environment: .system)
                for note in notes { console.say(note) }
                if json {
                    let holds = JSONValue.object([("holds", .list(snapshot.holds.map(\.json)))])
                    try console.write(holds.line(of: options.stream))
                } else {
                    for hold in snapshot.holds { try console.write(hold.text) }
                }
            }
        }
    }

    struct Remove: StreamJob {
        static let job = JobKind.hold

        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Ends a hold.",
            discussion: """
                What it held goes with the next purge, if the policy says so. Prints the hold that was removed.

                \(Self.beside)
                """)

        @OptionGroup var store: StreamOptions

        @Argument(help: ArgumentHelp("The number of the hold, as daybook hold list tells it.", valueName: "n"))
        var number: UInt64

        @Flag(help: "Print JSON.")
        var json = false

        func run(on log: EventLog, _ console: Console) async throws {
            let hold = try await log.removeHold(number)
            try console.write(json ? hold.json.line(of: log) : hold.text)
        }
    }
}

extension Hold {
    fileprivate var text: String {
        "hold \(number): \(timeText(from.milliseconds)) to \(timeText(to.milliseconds)), "
            + "since \(timeText(created)): \(reason)\n"
    }

    fileprivate var json: JSONValue {
        .object([
            ("hold", .number(number)), ("from", .number(from.milliseconds)), ("to", .number(to.milliseconds)),
            ("created", .number(created)), ("reason", .text(reason)),
        ])
    }
}
