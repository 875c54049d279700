import ArgumentParser
import LogEngine
import SegmentFormat

struct PurgeCommand: StreamJob {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Throws away what the policies say, for good.",
        discussion: """
            What is before the new horizon cannot be read any more and is gone from the disk when the command ends; \
            a record of it is kept in the stream audit first (daybook audit). Without options the policies of daybook \
            policy hold; an option here stands in for all of them, this once. Prints the plan, then what happened. \
            Works on a full disk. \(Self.beside) Reads of what goes get --reader-grace to end, then they are cut short and say so.

            Exit codes: 0 also where there is nothing to do, 6 where the clock is not believed, 7 where a segment had \
            to be left for want of room, or because it is damaged: it is named, reads leave out what should have \
            gone of it, and the next purge tries again.

            Example:
              daybook purge --data /var/lib/daybook --max-age 90d --dry-run
            """)
    static let job = JobKind.purge

    @OptionGroup var store: StreamOptions

    @Option(help: ArgumentHelp("Throw away what is older, as 90d or 12h.", valueName: "time"))
    var maxAge: Span?

    @Option(help: ArgumentHelp("Throw away the oldest until the segments take no more on the disk.", valueName: "size"))
    var maxBytes: ByteSize?

    @Option(help: ArgumentHelp("Throw away the oldest until so much of the disk is free.", valueName: "size"))
    var minFree: ByteSize?

    @Flag(help: "Print the plan alone.")
    var dryRun = false

    @Flag(help: "Believe the clock though it is far ahead of all that the store has seen.")
    var allowStep = false

    @Option(help: ArgumentHelp("How far the clock may be ahead.", valueName: "time"))
    var maxStep = Span(milliseconds: PurgeOptions().maxStep)

    @Option(help: ArgumentHelp("How long reads of what goes may take to end, as 30s or 1m.", valueName: "time"))
    var readerGrace = Span(milliseconds: PurgeOptions().readerGrace)

    @Flag(help: "Print JSON.")
    var json = false

    private var override: RetentionPolicy? {
        guard maxAge != nil || maxBytes != nil || minFree != nil else { return nil }
        return RetentionPolicy(
            maxAgeMilliseconds: maxAge?.milliseconds, maxBytes: maxBytes.map { UInt64($0.bytes) },
            minFreeBytes: minFree.map { UInt64($0.bytes) })
    }

    var options: PurgeOptions {
        var options = PurgeOptions()
        options.policy = override
        options.isDryRun = dryRun
        options.allowsStep = allowStep
        options.maxStep = maxStep.milliseconds
        options.readerGrace = readerGrace.milliseconds
        return options
    }

    func run(on log: EventLog, _ console: Console) async throws {
        let meter = JobMeter("rewriting", console)
        defer { meter.clear() }
        let report = try await log.purge(options) { meter.show($0) }
        meter.clear()
        if !report.hasReserve { console.say("RESERVE could not be allocated again: the disk is still full") }
        let text = PurgeText(report, isDryRun: dryRun)
        try console.write(json ? text.json.line(of: log) : text.text)
        if !report.deferred.isEmpty { throw CommandFailure(.deferred, "") }
    }
}

/// A purge for people and for programs.
struct PurgeText {
    private let report: PurgeReport
    private let isDryRun: Bool
    private var plan: PurgePlan { report.plan }

    init(_ report: PurgeReport, isDryRun: Bool) {
        self.report = report
        self.isDryRun = isDryRun
    }

    var text: String {
        var lines = held
        if plan.horizonAfter > plan.horizonBefore {
            lines.append("horizon  \(Self.time(plan.horizonBefore)) to \(Self.time(plan.horizonAfter))")
        }
        if plan.segments.isEmpty {
            lines.append("nothing to purge")
            return lines.joined(separator: "\n") + "\n"
        }
        lines.append(table)
        lines.append((isDryRun ? "would purge " : "purged ") + amount)
        for deferral in report.deferred {
            let wants = deferral.bytesWanted.map { "\($0.grouped) bytes wanted" } ?? deferral.reason
            let hidden = "\(deferral.segment.events.grouped) events are not read any more, but still on the disk"
            lines.append("deferred \(deferral.segment.path): \(wants); \(hidden)")
        }
        if !isDryRun { lines.append("freed \(sizeText(report.freedBytes))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var amount: String {
        let done = report.done
        let text = "\(done.segments.count.grouped) segments, \(done.events.grouped) events, \(sizeText(done.bytes))"
        guard let oldest = done.oldest, let newest = done.newest else { return text }
        return text + ", \(Self.time(oldest)) to \(Self.time(newest))"
    }

    private var held: [String] {
        guard let hold = plan.stoppedBy else { return [] }
        let (after, wanted) = (Self.time(plan.horizonAfter), Self.time(plan.wanted))
        return ["hold \(hold.number) (\(hold.reason)) stops the horizon at \(after), not \(wanted)"]
    }

    private var table: String {
        var table = Table(["segment", "action", "events", "bytes", "oldest", "newest"])
        for segment in plan.segments {
            table.add([
                String(segment.number.value), segment.action == .dropped ? "drop" : "rewrite", segment.events.grouped,
                sizeText(segment.bytes), segment.oldest.map(Self.time) ?? "–", segment.newest.map(Self.time) ?? "–",
            ])
        }
        return String(table.text.dropLast())
    }

    private static func time(_ bucket: Bucket) -> String {
        bucket == .earliest ? "none" : timeText(bucket.milliseconds)
    }

    var json: JSONValue {
        let hold: JSONValue = if let hold = plan.stoppedBy { .number(hold.number) } else { .null }
        let done = report.done
        let members: [(name: String, value: JSONValue)] = [
            ("dry_run", .bool(isDryRun)), ("horizon_before", .number(plan.horizonBefore.milliseconds)),
            ("horizon_after", .number(plan.horizonAfter.milliseconds)), ("stopped_by_hold", hold),
            ("segments", .list(plan.segments.map { Self.json($0) })), ("events", .number(done.events)),
            ("bytes", .number(done.bytes)), ("oldest", Self.json(done.oldest)), ("newest", Self.json(done.newest)),
            ("freed_bytes", .number(report.freedBytes)),
            ("deferred", .list(report.deferred.map { Self.json($0) })),
        ]
        return .object(members)
    }

    private static func json(_ deferral: PurgeReport.Deferral) -> JSONValue {
        let wanted: JSONValue = if let bytes = deferral.bytesWanted { .number(bytes) } else { .null }
        return .object([
            ("segment", .number(deferral.segment.number.value)), ("events", .number(deferral.segment.events)),
            ("bytes_wanted", wanted), ("reason", .text(deferral.reason)),
        ])
    }

    private static func json(_ bucket: Bucket?) -> JSONValue { bucket.map { .number($0.milliseconds) } ?? .null }

    private static func json(_ segment: PurgedSegment) -> JSONValue {
        .object([
            ("segment", .number(segment.number.value)), ("action", .text(segment.action.rawValue)),
            ("events", .number(segment.events)), ("bytes", .number(segment.bytes)), ("oldest", json(segment.oldest)),
            ("newest", json(segment.newest)),
        ])
    }
}
