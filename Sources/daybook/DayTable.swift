import LogEngine

/// The events of each of the latest UTC days.
struct DayTable {
    /// Days of a table for a person.
    static let days = 30

    private let report: DayReport
    /// Events of the days before these.
    private let earlier: Int

    /// - Parameter days: from the newest event back, whether or not they hold events.
    init(_ snapshot: LogSnapshot, days: Int) throws {
        let day: UInt64 = 86_400_000
        let newest = (snapshot.segments.compactMap(\.lastBucket).max()?.milliseconds ?? 0) / day
        let first = (newest + 1 - min(UInt64(days), newest + 1)) * day
        report = try snapshot.days(in: first ... .max, limit: days)
        earlier = first > 0 ? try snapshot.count(in: 0...first - 1).events : 0
    }

    /// No fault is known that may have cost events of these days.
    var isComplete: Bool { report.isComplete }

    /// A blank line and the table; empty where there are no events.
    var text: String {
        guard !report.days.isEmpty || earlier > 0 else { return "" }
        var table = Table(["day", "events", "raw"])
        if earlier > 0 { table.add(["earlier", earlier.grouped, "–"]) }
        for total in report.days { table.add([dayText(total.day), total.events.grouped, sizeText(total.rawBytes)]) }
        return "\n" + table.text
    }

    /// Earlier days are left out: their events are the rest of all.
    var json: JSONValue {
        .list(
            report.days.map { total in
                .object([
                    ("day", .text(dayText(total.day))), ("events", .number(total.events)),
                    ("raw_bytes", .number(total.rawBytes)),
                ])
            })
    }
}
