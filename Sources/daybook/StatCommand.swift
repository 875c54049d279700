import ArgumentParser
import LogEngine
import SegmentFormat

struct StatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Tells what a data directory holds.",
        discussion: """
            Events, bytes of their lines (raw) and of the files (stored), the oldest and the newest stored time, what the \
            file system has free; the same of each segment, and of each UTC day with events: of the latest \(DayTable.days) \
            days, with --json of \(Bounds.reportedDays.grouped). Works beside a running server. Reads no events. A damaged \
            segment has lost something: daybook verify says what.
            """)

    @OptionGroup var store: StreamOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let console = Console.current
        let readings = store.readings
        for (index, options) in readings.enumerated() {
            if index > 0, !json { try console.write("\n") }
            try tell(options, console)
        }
    }

    private func tell(_ options: LogOptions, _ console: Console) throws {
        let (snapshot, found) = try StoreReader.snapshot(of: store.data, options: options, environment: .system)
        let days = try DayTable(snapshot, days: json ? Bounds.reportedDays : DayTable.days)
        let notes = days.isComplete ? found : found + ["the days leave out what is damaged"]
        for note in notes { console.say(note) }
        let statistics = StoreStatistics(
            snapshot, days: days, notes: notes, free: try FreeSpace.bytes(at: store.data))
        try console.write(json ? statistics.json.description + "\n" : statistics.text)
    }
}

/// Sums over the segments of a store.
struct StoreStatistics {
    private let snapshot: LogSnapshot
    private let days: DayTable
    private let notes: [String]
    private let free: UInt64
    private let segments: [SegmentSummary]
    private let events: UInt64
    private let rawBytes: UInt64
    private let storedBytes: UInt64
    private let oldest: Bucket?
    private let newest: Bucket?

    /// - Parameter notes: what there was to say when the store was looked at.
    init(_ snapshot: LogSnapshot, days: DayTable, notes: [String], free: UInt64) {
        self.snapshot = snapshot
        self.days = days
        self.notes = notes
        self.free = free
        segments = snapshot.segments
        events = segments.reduce(0) { $0 + $1.lines }
        rawBytes = segments.reduce(0) { $0 + $1.rawBytes }
        storedBytes = segments.reduce(0) { $0 + $1.storedBytes }
        oldest = segments.compactMap(\.firstBucket).min()
        newest = segments.compactMap(\.lastBucket).max()
    }

    private var cold: Int { segments.filter(\.isCold).count }
    private var damaged: Int { segments.filter(\.isDamaged).count }
    private var ratio: String { decimalText(Double(rawBytes) / Double(max(storedBytes, 1))) }

    var text: String {
        let span = [oldest, newest].map { $0.map { timeText($0.milliseconds) } ?? "–" }
        return """
            store       \(snapshot.store.value.hex), stream \(snapshot.stream), \
            resolution \(durationText(snapshot.resolution.milliseconds))
            events      \(events.grouped)
            bytes       \(rawBytes.grouped) raw, \(storedBytes.grouped) stored, ratio \(ratio)
            buckets     \(span[0]) to \(span[1])
            segments    \((segments.count - cold).grouped) hot, \(cold.grouped) cold\
            \(damaged > 0 ? ", \(damaged.grouped) damaged" : "")
            free        \(sizeText(free))

            \(table)\(days.text)
            """
    }

    private var table: String {
        var table = Table([
            "segment", "kind", "state", "blocks", "events", "raw", "stored", "first sequence", "first bucket",
            "last bucket",
        ])
        for segment in segments {
            table.add([
                String(segment.number.value), Self.kind(segment), Self.state(segment), segment.blocks.grouped,
                segment.lines.grouped,
                sizeText(segment.rawBytes), sizeText(segment.storedBytes), segment.firstSequence.value.grouped,
                segment.firstBucket.map { timeText($0.milliseconds) } ?? "–",
                segment.lastBucket.map { timeText($0.milliseconds) } ?? "–",
            ])
        }
        return table.text
    }

    private static func kind(_ segment: SegmentSummary) -> String { segment.isCold ? "cold" : "hot" }

    private static func state(_ segment: SegmentSummary) -> String {
        segment.isDamaged ? "damaged" : segment.isSealed ? "sealed" : "active"
    }

    var json: JSONValue {
        .object([
            ("store", .text(snapshot.store.value.hex)), ("stream", .text(snapshot.stream.description)),
            ("resolution", .number(snapshot.resolution.milliseconds)),
            ("horizon", .number(snapshot.horizon.milliseconds)),
            ("events", .number(events)), ("raw_bytes", .number(rawBytes)), ("stored_bytes", .number(storedBytes)),
            ("ratio", .decimal(ratio)), ("oldest", Self.json(oldest)), ("newest", Self.json(newest)),
            ("free_bytes", .number(free)), ("segments", .list(segments.map(Self.json))),
            ("cold", .number(cold)), ("damaged", .number(damaged)), ("days", days.json),
            ("notes", .list(notes.map { .text($0) })),
        ])
    }

    private static func json(_ bucket: Bucket?) -> JSONValue {
        bucket.map { .number($0.milliseconds) } ?? .null
    }

    private static func json(_ segment: SegmentSummary) -> JSONValue {
        .object([
            ("segment", .number(segment.number.value)), ("path", .text(segment.path)), ("kind", .text(kind(segment))),
            ("state", .text(state(segment))),
            ("blocks", .number(segment.blocks)), ("events", .number(segment.lines)),
            ("raw_bytes", .number(segment.rawBytes)), ("stored_bytes", .number(segment.storedBytes)),
            ("first", .number(segment.firstSequence.value)), ("next", .number(segment.nextSequence.value)),
            ("oldest", json(segment.firstBucket)), ("newest", json(segment.lastBucket)),
        ])
    }
}
