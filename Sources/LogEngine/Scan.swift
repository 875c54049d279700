import SegmentFormat

/// What a scan has delivered.
public struct ScanSummary: Sendable {
    public let lines: Int
    /// Goes on behind the last line, once `next()` has returned `nil`; `nil` where nothing follows.
    public let cursor: ScanCursor?
    /// Nothing that the scan should have delivered was lost to a fault.
    public let isComplete: Bool
    public let faults: [FileFault]
}

/// Brings the lines of a snapshot in one of the orders.
protocol LineSource: AnyObject {
    /// Appends the next lines to an output that was cleared. `lines` is how many are wanted: there may
    /// be more. Returns false at the end.
    func fill(_ output: ScanOutput, lines: Int) throws(StoreError) -> Bool
}

/// Delivers the events of a range from one snapshot. Blocks on the disk, and belongs to one caller at
/// a time; memory stays within `Bounds.scanBudget` whatever the order of arrival was.
public final class Scan {
    private let request: ScanRequest
    private let reader: BlockReader
    private let output = ScanOutput()
    private let source: any LineSource
    /// Lines at or before it were delivered by earlier pages.
    private var start: ScanPosition?
    private var position: ScanPosition?
    private var delivered = 0
    private var isExhausted = false
    /// More is there than the limit lets through.
    private var isCut = false
    private let pinned: ScanCursor

    /// Fails with `badCursor` where the cursor is not of this query, and with `goneCursor` where purge or
    /// erasure took something that it had still to deliver.
    public init(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) {
        guard request.limit ?? 1 > 0 else { throw .badArgument("the limit must be at least 1") }
        guard request.after == nil || request.order == .arrival else {
            throw .badArgument("only a scan in order of arrival starts after a sequence")
        }
        self.request = request
        pinned = try Self.pin(snapshot, request)
        start = Self.start(request)
        reader = BlockReader(snapshot.access)
        for fault in snapshot.active?.segment.faults ?? [] { reader.report(fault) }
        let lowest = max(request.buckets.lowerBound, snapshot.horizon)
        let from = request.order == .time ? max(lowest, start?.bucket ?? .earliest) : lowest
        let after = request.order == .arrival ? start?.sequence ?? Sequence(0) : Sequence(0)
        guard from <= request.buckets.upperBound, after < pinned.pin else {
            isExhausted = true
            source = NoLines()
            return
        }
        var filter = BlockFilter(buckets: from...request.buckets.upperBound, sequences: after + 1...pinned.pin)
        switch request.order {
        case .time:
            filter.start = start
            source = TimeOrder(snapshot, filter, reader)
        case .arrival: source = ArrivalOrder(snapshot, filter, reader)
        }
    }

    /// Lines at or before it are not wanted.
    private static func start(_ request: ScanRequest) -> ScanPosition? {
        guard let after = request.after else { return request.cursor?.position }
        return ScanPosition(bucket: .earliest, sequence: max(after, request.cursor?.position.sequence ?? after))
    }

    /// The cursor of a page that has delivered nothing yet: what all pages share.
    private static func pin(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) -> ScanCursor {
        let query = ScanCursor.query(request, store: snapshot.store)
        guard let cursor = request.cursor else {
            return ScanCursor(
                order: request.order, query: query, position: ScanPosition(bucket: .earliest, sequence: Sequence(0)),
                pin: snapshot.lastSequence, horizon: snapshot.horizon, eraseCount: snapshot.eraseCount)
        }
        guard cursor.query == query, cursor.order == request.order, cursor.pin <= snapshot.lastSequence else {
            throw .badCursor
        }
        let wasPurged =
            snapshot.horizon > cursor.horizon
            && (request.order == .arrival || snapshot.horizon > cursor.position.bucket)
            && request.buckets.lowerBound < snapshot.horizon
        guard !wasPurged, snapshot.eraseCount == cursor.eraseCount else {
            throw StoreError(
                .goneCursor, "",
                "events that this cursor had still to deliver were purged or erased; "
                    + "start again from \(snapshot.horizon.milliseconds)")
        }
        return cursor
    }

    /// The next lines, or `nil` at the end of the range or of the limit.
    public func next() throws(StoreError) -> ScanChunk? {
        let wanted = (request.limit ?? .max) - delivered
        while !isExhausted, wanted > 0 {
            output.clear()
            // Lines at the front may belong to earlier pages; a chunk without any is filled again.
            guard try source.fill(output, lines: start == nil ? wanted : .max) else {
                isExhausted = true
                break
            }
            if let start { output.dropFirst(lines: output.lines(through: start, order: request.order)) }
            isCut = output.truncate(toLines: wanted)
            guard output.lines > 0 else { continue }
            start = nil
            delivered += output.lines
            position = output.position(ofLine: output.lines - 1, order: request.order)
            return ScanChunk(output: output)
        }
        try lookBehindLimit()
        return nil
    }

    /// A limit that ends just where the range does has cut nothing short.
    private func lookBehindLimit() throws(StoreError) {
        guard !isExhausted, !isCut else { return }
        output.clear()
        isCut = try source.fill(output, lines: 1)
        isExhausted = !isCut
    }

    public var summary: ScanSummary {
        var cursor: ScanCursor?
        if !isExhausted, let position {
            cursor = pinned
            cursor?.position = position
        }
        return ScanSummary(
            lines: delivered, cursor: cursor, isComplete: reader.faults.isEmpty, faults: reader.faults)
    }
}

private final class NoLines: LineSource {
    func fill(_ output: ScanOutput, lines: Int) -> Bool { false }
}
