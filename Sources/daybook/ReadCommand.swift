import ArgumentParser
import LogEngine
import SegmentFormat

struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints the events of a range.",
        discussion: """
            From a data directory, also beside a running server, or from a server. Shows what is durable when it \
            starts. The range is compared with the stored, floored times. A server's answer is checked against the \
            count and the hash at its end: one that was cut short ends with code 69, one that is not complete with 65. LZ4 \
            frames come as they are stored, which is the fastest way to copy a range; lz4 -d makes lines of them.

            \(TimeArgument.accepted)

            Examples:
              daybook read --from yesterday --to yesterday
              daybook read --from 2h --order arrival | jq .event_stream
              daybook read --to 2026-11-20 --limit 10 --url http://127.0.0.1:8080
              daybook read --from 7d --format lz4 > week.ndjson.lz4
            """)

    @OptionGroup var store: StoreOptions

    @OptionGroup var times: RangeOptions

    @Option(
        help: "time: by floored time, then arrival; the default. arrival: as they came; the only order of lz4.")
    var order: ScanRequest.Order?

    @Option(help: ArgumentHelp("Print at most so many events.", valueName: "n"))
    var limit: Int?

    @Option(
        help: """
            ndjson: one event a line. rows: a JSON array with ids, as the server answers it. lz4: frames of lines, in \
            order of arrival.
            """)
    var format = EventFormat.ndjson

    private static let noTerminal = """
        LZ4 frames are not for a terminal: send them to a file or a pipe, as in `daybook read --format lz4 | lz4 -d`
        """

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
        if format == .lz4, order == .time {
            throw ValidationError("--format lz4 comes in order of arrival alone; leave out --order time.")
        }
    }

    func run() async throws {
        let console = Console.current
        if format == .lz4, console.writesToTerminal { throw CommandFailure(.usage, Self.noTerminal) }
        let request = ScanRequest(
            range: try times.range(now: WallClock.now()), order: order ?? (format == .lz4 ? .arrival : .time),
            limit: limit)
        if let server = store.server {
            try await ServerReader(server, console).read(request, format)
        } else {
            try read(request, console)
        }
    }

    private func read(_ request: ScanRequest, _ console: Console) throws {
        let (snapshot, notes) = try StoreReader.snapshot(
            of: store.directory, options: LogOptions(), environment: .system)
        for note in notes { console.say(note) }
        let summary = try format == .lz4 ? frames(snapshot, request, console) : lines(snapshot, request, console)
        try summary.check(console)
    }

    private func lines(_ snapshot: LogSnapshot, _ request: ScanRequest, _ console: Console) throws -> ScanSummary {
        let scan = try Scan(snapshot, request)
        var printer = EventPrinter(format, console)
        while let chunk = try scan.next() { try printer.write(chunk, of: snapshot.store) }
        try printer.finish()
        return scan.summary
    }

    private func frames(_ snapshot: LogSnapshot, _ request: ScanRequest, _ console: Console) throws -> ScanSummary {
        let scan = try FrameScan(snapshot, request, codec: .lz4)
        while let chunk = try scan.next() { try chunk.bytes.withUnsafeBytes { try console.write($0) } }
        return scan.summary
    }
}

extension ScanRequest.Order: ExpressibleByArgument {}
