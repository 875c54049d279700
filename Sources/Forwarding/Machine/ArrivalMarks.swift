import SegmentFormat

/// When events came, roughly: stretches of sequences rather than each, at most a tenth of a second or 1/512 of
/// what waits too early.
struct ArrivalMarks: Sendable {
    private static let step: Int64 = 100
    private static let most = 1_024

    /// Events above `sequence` came at `ticks` or later.
    private var marks: [(sequence: Sequence, ticks: Int64)] = []

    /// Events above `sequence`, and of every mark before, came now.
    mutating func note(above sequence: Sequence, at ticks: Int64) {
        if let last = marks.last, ticks - last.ticks < Self.step { return }
        marks.append((sequence, ticks))
        guard marks.count > Self.most else { return }
        marks = marks.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
    }

    /// Those at or before `sequence` are not asked for any more.
    mutating func drop(through sequence: Sequence) {
        let later = marks.firstIndex { $0.sequence > sequence } ?? marks.count
        if later > 1 { marks.removeFirst(later - 1) }
    }

    /// When the event behind `sequence` came, at the latest; `nil` where nothing is known.
    func arrival(behind sequence: Sequence) -> Int64? {
        (marks.last { $0.sequence <= sequence } ?? marks.first)?.ticks
    }
}
