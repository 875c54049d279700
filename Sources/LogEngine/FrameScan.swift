import SegmentFormat

/// LZ4 frames, one behind the other, that decode to whole lines; none of our metadata is among them.
public struct FrameChunk: Sendable {
    public fileprivate(set) var bytes: [UInt8] = []
    /// Lines that the frames decode to.
    public fileprivate(set) var lines = 0
}

/// A scan in order of arrival that delivers LZ4 frames: those that are stored, as they lie, and where a
/// block is not wanted whole, its lines do not come one after another, or it is a Zstandard frame, a new frame of
/// lines. What the
/// frames decode to is, byte for byte, what `Scan` delivers. Cursors are those of `Scan`. Blocks on the
/// disk, and belongs to one caller at a time; memory is
/// that of `Scan`.
public final class FrameScan {
    private let request: ScanRequest
    private let reader: BlockReader
    private let start: ScanStart
    private let era: SnapshotEra?
    private var source: ArrivalOrder?
    private let output = ScanOutput()
    private var delivered = 0
    private var position: Sequence?
    /// More is there than the limit lets through.
    private var isCut = false

    /// Fails as `Scan` does, and with `badArgument` for another order than that of arrival.
    public init(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) {
        guard request.order == .arrival else { throw .badArgument("frames come in order of arrival alone") }
        self.request = request
        era = snapshot.era
        start = try ScanStart(snapshot, request)
        reader = BlockReader(snapshot.access, pin: start.pinned.pin)
        for fault in snapshot.active?.segment.faults ?? [] { reader.report(fault) }
        if let filter = start.filter { source = ArrivalOrder(snapshot, filter, reader) }
    }

    /// The next frames, about `Bounds.scanChunk` bytes or one frame; `nil` at the end of the range or of the
    /// limit.
    public func next() throws(StoreError) -> FrameChunk? {
        try era?.requireFiles()
        var chunk = FrameChunk()
        while !isCut, delivered < request.limit ?? .max, chunk.bytes.count < Bounds.scanChunk,
            source != nil
        {
            guard let added = try append(to: &chunk, wanted: (request.limit ?? .max) - delivered) else { continue }
            delivered += added.lines
            position = added.last
            isCut = added.isCut
        }
        if chunk.lines > 0 { return chunk }
        try lookBehindLimit()
        return nil
    }

    /// As that of `Scan`.
    public var present: ScanCursor {
        var cursor = start.pinned
        cursor.position =
            position.map { ScanPosition(bucket: .earliest, sequence: $0) } ?? start.position ?? start.pinned.position
        return cursor
    }

    public var summary: ScanSummary {
        var cursor: ScanCursor?
        if source != nil, let position {
            cursor = start.pinned
            cursor?.position = ScanPosition(bucket: .earliest, sequence: position)
        }
        return ScanSummary(
            lines: delivered, cursor: cursor, isComplete: reader.faults.isEmpty, faults: reader.faults)
    }

    private func lookBehindLimit() throws(StoreError) {
        while !isCut, source != nil {
            var unwanted = FrameChunk()
            isCut = try append(to: &unwanted, wanted: 1) != nil
        }
    }

    // MARK: - One frame

    private struct Added {
        var lines: Int
        var last: Sequence
        /// The block holds more that is in range than was wanted.
        var isCut = false
    }

    /// The next block, or the next lines of several that overlap; `nil` where there is nothing of it that is in
    /// range and not damaged. At the end there is no source any more.
    private func append(to chunk: inout FrameChunk, wanted: Int) throws(StoreError) -> Added? {
        guard let source, let piece = try source.next(lines: wanted) else {
            source = nil
            return nil
        }
        switch piece {
        case .block(let block): return try append(block, to: &chunk, wanted: wanted)
        case .gathered:
            output.clear()
            source.moveGathered(to: output, lines: wanted)
            return encode(to: &chunk, wanted: wanted)
        }
    }

    private func append(_ block: BlockReference, to chunk: inout FrameChunk, wanted: Int) throws(StoreError) -> Added? {
        guard let filter = start.filter else { return nil }
        if block.entry.lines <= wanted, filter.holdsWhole(block.entry) {
            guard let isStored = try appendStored(block, to: &chunk) else { return nil }
            if isStored { return Added(lines: block.entry.lines, last: block.entry.lastSequence) }
        }
        output.clear()
        try reader.append(block, buckets: filter.buckets, order: .arrival, to: output)
        return encode(to: &chunk, wanted: wanted)
    }

    /// The lines of the output as a new frame.
    private func encode(to chunk: inout FrameChunk, wanted: Int) -> Added? {
        if let position = start.position {
            output.dropFirst(lines: output.lines(through: position, order: .arrival))
        }
        let isCut = output.truncate(toLines: wanted)
        guard output.lines > 0 else { return nil }
        chunk.bytes += LZ4Frame.encode(output.bytes)
        chunk.lines += output.lines
        let last = output.position(ofLine: output.lines - 1, order: .arrival).sequence
        return Added(lines: output.lines, last: last, isCut: isCut)
    }

    /// False where the lines of the block do not lie in order of arrival, or it is no LZ4; `nil` where it is
    /// damaged.
    private func appendStored(_ block: BlockReference, to chunk: inout FrameChunk) throws(StoreError) -> Bool? {
        try reader.withFrame(block) { (meta, frame) throws(FormatFault) in
            guard !meta.isReordered, meta.codec == .lz4 else { return false }
            _ = try BlockData.layout(frame, of: meta, at: block.dataOffset)
            chunk.bytes.append(contentsOf: frame)
            chunk.lines += meta.lines
            return true
        }
    }
}
