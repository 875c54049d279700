import SegmentFormat

/// Lines of a range that belong together, none of which was read.
struct LineGroup {
    let firstBucket: Bucket
    let lastBucket: Bucket
    let lines: Int
    let rawBytes: Int
    /// The highest.
    let lastSequence: Sequence
}

// Adds up a range from metadata alone: of a segment that need not be divided what the manifest tells, else
// its block index, and of a block that has to be divided its runs. So a range costs one meta frame for each
// block that straddles one of its ends, and the block index of each segment that does.

struct MetadataWalk {
    private let snapshot: LogSnapshot
    private let reader: BlockReader
    /// `nil` where the horizon is behind the range.
    private let buckets: ClosedRange<Bucket>?
    private var touchesKnownFault = false

    init(_ snapshot: LogSnapshot, _ range: ClosedRange<UInt64>) {
        self.snapshot = snapshot
        reader = BlockReader(snapshot.access, erasures: snapshot.erasures)
        let lowest = max(Bucket(milliseconds: range.lowerBound), snapshot.horizon)
        let highest = Bucket(milliseconds: range.upperBound)
        buckets = lowest <= highest ? lowest...highest : nil
    }

    /// No fault is known of the segments that the walk met.
    var isComplete: Bool { reader.faults.isEmpty && !touchesKnownFault }

    /// Calls `body` with every line of the range once, in groups. Segments and blocks for whose first and
    /// last bucket `belong` does not hold are divided.
    mutating func visit(
        undivided belong: (Bucket, Bucket) -> Bool = { _, _ in true }, _ body: (LineGroup) -> Void
    ) throws(StoreError) {
        try snapshot.requireSight()
        guard let buckets else { return }
        func isWhole(_ first: Bucket, _ last: Bucket) -> Bool {
            first >= buckets.lowerBound && last <= buckets.upperBound && belong(first, last)
        }
        for entry in snapshot.sealed.entries where entry.lines > 0 {
            guard overlaps(entry.firstBucket, entry.lastBucket, buckets) else { continue }
            let isSuspect = snapshot.access.faults.has(snapshot.access.layout.path(of: entry))
            touchesKnownFault = touchesKnownFault || isSuspect
            let mayHoldErased = snapshot.erasures.map { entry.firstSequence <= $0.through } ?? false
            if !isSuspect, !entry.isDamaged, !mayHoldErased, isWhole(entry.firstBucket, entry.lastBucket) {
                body(LineGroup(entry))
            } else if let segment = try reader.open(entry, store: snapshot.store) {
                try visit(segment, buckets, isWhole, body)
            }
        }
        guard let active = snapshot.active?.segment else { return }
        for fault in active.faults { reader.report(fault) }
        touchesKnownFault = touchesKnownFault || snapshot.access.faults.has(active.file.path)
        try visit(active, buckets, isWhole, body)
    }

    private func visit(
        _ segment: OpenSegment, _ buckets: ClosedRange<Bucket>, _ isWhole: (Bucket, Bucket) -> Bool,
        _ body: (LineGroup) -> Void
    ) throws(StoreError) {
        for index in 0..<segment.blocks.count {
            let entry = segment.blocks[index]
            guard entry.lines > 0, overlaps(entry.firstBucket, entry.lastBucket, buckets) else { continue }
            let block = BlockReference(segment: segment, entry: entry)
            if try reader.mayHoldErased(block) {
                try visitLines(block, buckets, body)
            } else if isWhole(entry.firstBucket, entry.lastBucket) {
                body(LineGroup(entry))
            } else if let meta = try reader.meta(block) {
                visitRuns(meta, BlockSlice(meta, buckets), isWhole, body)
            }
        }
    }

    /// What is erased shows in no metadata.
    private func visitLines(
        _ block: BlockReference, _ buckets: ClosedRange<Bucket>, _ body: (LineGroup) -> Void
    ) throws(StoreError) {
        let output = ScanOutput()
        try reader.append(block, buckets: buckets, order: .time, to: output)
        let sequences = output.sequences
        var line = 0
        for run in output.runs {
            guard let last = sequences[line..<line + run.lines].max() else { continue }
            body(LineGroup(run, last: last))
            line += run.lines
        }
    }

    private func visitRuns(
        _ meta: BlockMeta, _ slice: BlockSlice, _ isWhole: (Bucket, Bucket) -> Bool, _ body: (LineGroup) -> Void
    ) {
        var end = slice.lineRange.lowerBound
        var group: LineGroup?
        for run in meta.runs[slice.runs] {
            end += run.lines
            let last = meta.sequence(ofLine: end - 1)
            if let known = group, isWhole(known.firstBucket, run.bucket) {
                group = known.adding(run, last: last)
            } else {
                if let group { body(group) }
                group = LineGroup(run, last: last)
            }
        }
        if let group { body(group) }
    }

    private func overlaps(_ first: Bucket, _ last: Bucket, _ buckets: ClosedRange<Bucket>) -> Bool {
        first <= buckets.upperBound && last >= buckets.lowerBound
    }
}

extension LineGroup {
    /// More than a segment can hold, so that no manifest makes a sum overflow.
    private static let most: UInt64 = 1 << 45

    /// The manifest's totals of a segment that is not damaged.
    fileprivate init(_ entry: SegmentEntry) {
        self.init(
            firstBucket: entry.firstBucket, lastBucket: entry.lastBucket,
            lines: Int(min(entry.lines, Self.most)), rawBytes: Int(min(entry.rawBytes, Self.most)),
            lastSequence: Sequence(entry.nextSequence.value - 1))
    }

    fileprivate init(_ entry: BlockIndexEntry) {
        self.init(
            firstBucket: entry.firstBucket, lastBucket: entry.lastBucket, lines: entry.lines,
            rawBytes: entry.rawLength, lastSequence: entry.lastSequence)
    }

    fileprivate init(_ run: Run, last: Sequence) {
        self.init(
            firstBucket: run.bucket, lastBucket: run.bucket, lines: run.lines, rawBytes: run.bytes,
            lastSequence: last)
    }

    fileprivate func adding(_ run: Run, last: Sequence) -> LineGroup {
        LineGroup(
            firstBucket: firstBucket, lastBucket: run.bucket, lines: lines + run.lines,
            rawBytes: rawBytes + run.bytes, lastSequence: max(lastSequence, last))
    }
}
