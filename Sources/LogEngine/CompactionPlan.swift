import SegmentFormat

// Which segments the next pass of a compaction takes (SPEC M1, M2). Pure: entries in, entries out.

struct CompactionPlan {
    /// The segments of the next pass, by number; empty where there is nothing to do.
    let inputs: [SegmentEntry]

    static let nothing = CompactionPlan(inputs: [])

    /// - Parameters:
    ///   - segments: what the manifest lists.
    ///   - today: days since 1970.
    ///   - excluded: segments that are known to be damaged, or otherwise not to be touched.
    static func next(
        _ segments: [SegmentEntry], today: UInt32, segmentBytes: UInt64, excluding excluded: Set<SegmentNumber> = []
    ) -> CompactionPlan {
        let whole = segments.filter { !$0.isDamaged && !excluded.contains($0.segment) }
        let hot = bounded(whole.filter { $0.day == nil })
        if !hot.isEmpty { return CompactionPlan(inputs: hot) }
        let cold = whole.filter { $0.day != nil }
        // What purges leave to remember deliveries by.
        let empty = bounded(cold.filter { $0.lines == 0 })
        if empty.count > 1 { return CompactionPlan(inputs: empty) }
        let days = Dictionary(grouping: cold.filter { $0.lines > 0 && !$0.isEarly(today) }) { $0.day ?? 0 }
        for day in days.keys.sorted() {
            let inputs = bounded(merged(days[day] ?? [], isOver: day < today, segmentBytes))
            // As many parts would come out again.
            let bytes = inputs.reduce(0) { $0 + $1.length }
            if UInt64(inputs.count) > 1 + bytes / full(segmentBytes) {
                return CompactionPlan(inputs: inputs.sorted { $0.segment < $1.segment })
            }
        }
        return .nothing
    }

    /// A segment this close to its bound was cut there.
    private static func full(_ segmentBytes: UInt64) -> UInt64 { segmentBytes - segmentBytes / 8 }

    /// The segments of one day that are to become one.
    private static func merged(
        _ segments: [SegmentEntry], isOver: Bool, _ segmentBytes: UInt64
    ) -> [SegmentEntry] {
        var small = segments.filter { $0.length < full(segmentBytes) }
            .sorted { ($0.length, $0.segment) < ($1.length, $1.segment) }
        guard let base = small.popLast() else { return [] }
        let bytes = small.reduce(0) { $0 + $1.length }
        let day = segments.reduce(0) { $0 + $1.length }
        // A day that still grows would be written anew with every pass.
        if isOver, bytes > day / Bounds.smallGenerationShare { return small + [base] }
        return small.count >= Bounds.smallGenerations ? small : []
    }

    /// As many from the front as one pass takes, at least one.
    private static func bounded(_ segments: [SegmentEntry]) -> [SegmentEntry] {
        var (bytes, deliveries) = (UInt64(0), 0)
        return Array(
            segments.prefix(Bounds.passSegments).prefix { entry in
                let isFirst = bytes == 0 && deliveries == 0
                bytes += entry.rawBytes
                deliveries += entry.deliveries
                return isFirst || bytes <= Bounds.passBytes && deliveries <= FormatBounds.deliveries
            })
    }
}

extension SegmentEntry {
    /// A cold segment of a day that is still to come. `today` in days since 1970.
    func isEarly(_ today: UInt32) -> Bool { day.map { $0 > today } ?? false }
}
