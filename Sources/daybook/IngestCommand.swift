import ArgumentParser
import Interactions
import LogEngine

struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Stores the events of an NDJSON file.",
        discussion: """
            Into a data directory that no server has open, or into a server. The file is sent in batches, each stored \
            whole or not at all; into a server several at a time, each under a key of its own, so that one that is sent \
            again is not stored twice. The first bad line ends it with code 65, unless --on-error skip.
            """)

    @Argument(help: "The file, or - for standard input.")
    var file: String

    @Option(help: ArgumentHelp("The data directory to store into (default: ./data).", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("The server to send to, as http://127.0.0.1:8080.", valueName: "url"))
    var url: String?

    @Option(help: "What a bad line does: stop, or skip (it is left out and told of).")
    var onError = RefusalPolicy.stop

    func validate() throws {
        if data != nil, url != nil { throw ValidationError("--data and --url cannot be used together.") }
    }

    func run() async throws {
        var reader = try BatchReader(file)
        defer { reader.close() }
        var tally = IngestTally(Console.current)
        if let url {
            let target = try ServerTarget(url, onError)
            try await ending(&tally) { tally in try await target.store(&reader, &tally) }
        } else {
            let log = try EventLog.open(data ?? "./data", options: LogOptions(), environment: .system)
            for note in log.report.notes { Console.current.say(note) }
            let target = DirectoryTarget(log: log, onError: onError)
            try await ending(&tally) { tally in
                let result: Result<Void, any Error>
                do {
                    result = .success(try await target.store(&reader, &tally))
                } catch {
                    result = .failure(error)
                }
                try await log.close()
                try result.get()
            }
        }
    }

    /// Tells what was stored, whether or not all of it was.
    private func ending(_ tally: inout IngestTally, _ work: (inout IngestTally) async throws -> Void) async throws {
        do {
            try await work(&tally)
            tally.finish()
        } catch let refused as RefusedLine {
            tally.finish()
            throw CommandFailure(.data, "\(file): \(refused.description)")
        } catch {
            tally.finish()
            throw error
        }
        if tally.skipped > 0 { throw CommandFailure(.data, "\(file): \(tally.skipped.grouped) lines were left out") }
    }
}

extension RefusalPolicy: ExpressibleByArgument {}

/// What was stored so far, and the progress line that shows it.
struct IngestTally {
    private(set) var accepted = 0
    private(set) var discarded = 0
    private(set) var skipped = 0
    private var bytes = 0
    private let console: Console
    private var progress: Progress

    init(_ console: Console) {
        self.console = console
        progress = Progress(console)
    }

    mutating func add(accepted: Int, discarded: Int, bytes: Int) {
        self.accepted += accepted
        self.discarded += discarded
        self.bytes += bytes
        let (events, size, seconds) = (self.accepted, self.bytes, progress.seconds)
        progress.draw(
            "\(events.grouped) events, \(size.grouped) bytes, \(Int(Double(events) / max(seconds, 0.001)).grouped) events/s"
        )
    }

    mutating func skip(_ lines: [RefusedLine]) {
        guard !lines.isEmpty else { return }
        skipped += lines.count
        progress.clear()
        for found in lines { console.say(found.description) }
    }

    mutating func finish() {
        progress.clear()
        let late = discarded > 0 ? ", \(discarded.grouped) before the horizon discarded" : ""
        console.say("stored \(accepted.grouped) events\(late)")
    }
}
