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

/// Delivers the events of a range from one snapshot. Blocks on the disk, and belongs to one caller at
/// a time; memory stays within `Bounds.scanBudget` whatever the order of arrival was.
public final class Scan {
    private let request: ScanRequest
    private let reader: BlockReader
    private let output = ScanOutput()
    /// `nil` where no event can be in the range.
    private let source: (any LineSource)?
    /// Lines at or before it were delivered by earlier pages.
    private var start: ScanPosition?
    private var position: ScanPosition?
    private var delivered = 0
    private var isExhausted = false
    /// More is there than the limit lets through.
    private var isCut = false
    private let pinned: ScanCursor
    /// Keeps the files that the scan has still to open.
    private let era: SnapshotEra?

    /// Fails with `badCursor` where the cursor is not of this query, and with `goneCursor` where purge or
    /// erasure took something that it had still to deliver.
    public init(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) {
        self.request = request
        era = snapshot.era
        let beginning = try ScanStart(snapshot, request)
        pinned = beginning.pinned
        start = beginning.position
        reader = BlockReader(snapshot.access, pin: pinned.pin, erasures: snapshot.erasures)
        for fault in snapshot.active?.segment.faults ?? [] { reader.report(fault) }
        source = beginning.source(snapshot, reader)
        isExhausted = source == nil
    }

    /// The next lines, or `nil` at the end of the range or of the limit. Fails with `revoked` where a purge
    /// could not wait any longer: a scan of a newer snapshot can go on from a cursor.
    public func next() throws(StoreError) -> ScanChunk? {
        try next(in: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    /// The same, decoded into the caller's memory where there is room for all of it: `isInPlace` of the chunk
    /// tells. The scan keeps no hold of that memory: such a chunk's lines are read before it is freed.
    public func next(in place: UnsafeMutableRawBufferPointer) throws(StoreError) -> ScanChunk? {
        let wanted = (request.limit ?? .max) - delivered
        while !isExhausted, wanted > 0, let source {
            try era?.requireFiles()
            output.clear()
            output.borrow(place)
            // Lines at the front may belong to earlier pages; a chunk without any is filled again.
            guard try source.fill(output, lines: start == nil || request.order == .arrival ? wanted : .max) else {
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
        guard !isExhausted, !isCut, let source else { return }
        output.clear()
        isCut = try source.fill(output, lines: 1)
        isExhausted = !isCut
    }

    /// Goes on behind the first lines, at least one, of the chunk that `next()` gave last.
    public func cursor(behindLines lines: Int) -> ScanCursor {
        var cursor = pinned
        cursor.position = output.position(ofLine: lines - 1, order: request.order)
        return cursor
    }

    /// Goes on behind all that was delivered, or begins where the scan did.
    public var present: ScanCursor {
        var cursor = pinned
        cursor.position = position ?? start ?? pinned.position
        return cursor
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
