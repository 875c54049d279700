import ArgumentParser
import LogEngine
import SegmentFormat
import Synchronization

/// How cold segments are made, for every command that makes some.
struct CompactionArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Level of Zstandard, from 1 to 19.", valueName: "n"))
    var level = CompactionOptions().level

    @Option(help: ArgumentHelp("Read at most so many bytes of events a second, as 20MiB.", valueName: "size"))
    var maxRate: ByteSize?

    func validate() throws {
        guard ZstdEncoder.levels.contains(level) else { throw ValidationError("--level is a number from 1 to 19.") }
    }

    /// As they stand on a command line.
    var arguments: [String] {
        ["--level", String(level)] + (maxRate.map { ["--max-rate", String($0.bytes)] } ?? [])
    }

    var options: CompactionOptions {
        var options = CompactionOptions()
        options.level = level
        options.bytesPerSecond = maxRate.map { UInt64($0.bytes) }
        return options
    }
}

struct CompactCommand: StreamJob {
    static let configuration = CommandConfiguration(
        commandName: "compact", abstract: "Packs sealed segments into smaller ones, a day each.",
        discussion: """
            Sealed hot segments (LZ4, in order of arrival) become cold ones (Zstandard, in order of time, one UTC day \
            each); small cold segments of a day are joined. Events, ids and what is remembered of deliveries stay as \
            they are. If it is cut off, the store is as it was.

            \(Self.beside)
            """)
    static let job = JobKind.compact

    @OptionGroup var store: StreamOptions
    @OptionGroup var compaction: CompactionArguments

    @Flag(help: "Print JSON.")
    var json = false

    func run(on log: EventLog, _ console: Console) async throws {
        let meter = JobMeter("compacting", console)
        defer { meter.clear() }
        let report = try await log.compact(compaction.options) { meter.show($0) }
        meter.clear()
        for fault in report.damaged { console.say("\(fault); the segment is left as it is") }
        try console.write(json ? report.json.line(of: log) : report.text + "\n")
        if !report.damaged.isEmpty { throw CommandFailure(.data, "") }
    }
}

/// The progress line of a job.
final class JobMeter: Sendable {
    private let what: String
    private let console: Console
    private let progress: Mutex<Progress>

    init(_ what: String, _ console: Console) {
        self.what = what
        self.console = console
        progress = Mutex(Progress(console))
    }

    func show(_ done: JobProgress) {
        progress.withLock {
            $0.draw(
                "\(what): \(done.events.grouped) of \(done.eventsInAll.grouped) events, \(sizeText(done.writtenBytes)) written"
            )
        }
    }

    func clear() { progress.withLock { $0.clear() } }
}

/// The same of a verification.
final class VerifyMeter: Sendable {
    private let progress: Mutex<Progress>

    init(_ console: Console) { progress = Mutex(Progress(console)) }

    func show(_ done: VerifyProgress) {
        progress.withLock {
            $0.draw("segment \(done.segments) of \(done.segmentsInAll), \(done.bytes.grouped) bytes")
        }
    }

    func clear() { progress.withLock { $0.clear() } }
}

extension CompactionReport {
    var text: String {
        guard passes > 0 else { return "nothing to compact" }
        return "compacted \(segmentsIn.grouped) segments into \(segmentsOut.grouped), \(events.grouped) events, "
            + "\(sizeText(bytesIn)) into \(sizeText(bytesOut))"
    }

    var json: JSONValue {
        .object([
            ("segments_in", .number(segmentsIn)), ("segments_out", .number(segmentsOut)), ("events", .number(events)),
            ("bytes_in", .number(bytesIn)), ("bytes_out", .number(bytesOut)),
            ("damaged", .list(damaged.map { .text($0.description) })),
        ])
    }
}
