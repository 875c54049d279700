import ArgumentParser
import LogEngine
import SegmentFormat

struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints the events of a range.",
        discussion: """
            From a data directory, also beside a running server, or from a server. Shows what is durable when it \
            starts. The range is compared with the stored, floored times. A server's answer is checked against the \
            count and the hash at its end: one that was cut short ends with code 69, one that is not complete with 65.

            \(TimeArgument.accepted)

            Examples:
              daybook read --from yesterday --to yesterday
              daybook read --from 2h --order arrival | jq .event_stream
              daybook read --to 2026-11-20 --limit 10 --url http://127.0.0.1:8080
            """)

    @OptionGroup var store: StoreOptions

    @OptionGroup var times: RangeOptions

    @Option(help: "time: by floored time, then arrival. arrival: as they came.")
    var order = ScanRequest.Order.time

    @Option(help: ArgumentHelp("Print at most so many events.", valueName: "n"))
    var limit: Int?

    @Option(help: "ndjson: one event a line. rows: a JSON array with ids, as the server answers it.")
    var format = EventFormat.ndjson

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
    }

    func run() async throws {
        let request = ScanRequest(range: try times.range(now: WallClock.now()), order: order, limit: limit)
        if let server = store.url {
            try await ServerReader(server, Console.current).read(request, format)
        } else {
            try read(request, Console.current)
        }
    }

    private func read(_ request: ScanRequest, _ console: Console) throws {
        let (snapshot, notes) = try StoreReader.snapshot(
            of: store.directory, options: LogOptions(), environment: .system)
        for note in notes { console.say(note) }
        let scan = try Scan(snapshot, request)
        var printer = EventPrinter(format, console)
        while let chunk = try scan.next() { try printer.write(chunk, of: snapshot.store) }
        try printer.finish()
        try scan.summary.check(console)
    }
}

extension ScanRequest.Order: ExpressibleByArgument {}
