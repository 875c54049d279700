import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

// What a snapshot tells of a range without reading its lines, against the array.

/// Counts, days and frames of a range.
func expectMetadata(
    _ snapshot: LogSnapshot, _ reference: ReferenceLog, _ range: ClosedRange<UInt64>, _ what: String = ""
) throws {
    let entries = reference.entries.filter {
        range.contains($0.event.bucket.milliseconds) && $0.event.bucket >= snapshot.horizon
    }
    #expect(
        try snapshot.count(in: range) == EventCount(events: entries.count, isComplete: true), "\(what), \(range)")
    #expect(try snapshot.days(in: range).days == entries.days, "\(what), \(range)")
    let found = try readFrames(snapshot, ScanRequest(range: range, order: .arrival))
    #expect(found.text == entries.text && found.summary.isComplete, "\(what), \(range)")
}

/// The last event of a snapshot.
func expectLast(_ snapshot: LogSnapshot, _ reference: ReferenceLog, _ what: String = "") throws {
    let last = reference.entries.filter { $0.event.bucket >= snapshot.horizon }
        .max { ($0.event.bucket, $0.sequence) < ($1.event.bucket, $1.sequence) }
    let expected = last.map {
        StoredEvent(sequence: $0.sequence, bucket: $0.event.bucket, line: Array($0.event.line.utf8))
    }
    #expect(try snapshot.last() == expected, "\(what)")
}

extension [ReferenceLog.Entry] {
    var days: [DayTotals] {
        let days = Dictionary(grouping: self) { Int($0.event.bucket.milliseconds / 86_400_000) }
        return days.keys.sorted().map { day in
            let entries = days[day] ?? []
            return DayTotals(day: day, events: entries.count, rawBytes: entries.text.utf8.count)
        }
    }
}
