import SegmentFormat

/// LZ4 frames, one behind the other, that decode to whole lines; none of our metadata is among them.
public struct FrameChunk: Sendable {
    public fileprivate(set) var bytes: [UInt8] = []
    /// Lines that the frames decode to.
    public fileprivate(set) var lines = 0
}

/// A scan in order of arrival that delivers LZ4 frames: those that are stored, as they lie, and where a
/// block is not wanted whole, does not lie in order of arrival, or is a Zstandard frame, a new frame of its lines. What the
/// frames decode to is, byte for byte, what `Scan` delivers. Cursors are those of `Scan`. Blocks on the
/// disk, and belongs to one caller at a time; memory is that of a few blocks.
public final class FrameScan {
    private let request: ScanRequest
    private let reader: BlockReader
    private let start: ScanStart
    private let era: SnapshotEra?
    private var blocks: ArrivalBlocks?
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
        reader = BlockReader(snapshot.access)
        for fault in snapshot.active?.segment.faults ?? [] { reader.report(fault) }
        if let filter = start.filter { blocks = ArrivalBlocks(snapshot, filter, reader) }
    }

    /// The next frames, about `Bounds.scanChunk` bytes or one frame; `nil` at the end of the range or of the
    /// limit.
    public func next() throws(StoreError) -> FrameChunk? {
        try era?.requireFiles()
        var chunk = FrameChunk()
        while !isCut, delivered < request.limit ?? .max, chunk.bytes.count < Bounds.scanChunk,
            let block = try nextBlock()
        {
            guard let added = try append(block, to: &chunk, wanted: (request.limit ?? .max) - delivered) else {
                continue
            }
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
        if blocks != nil, let position {
            cursor = start.pinned
            cursor?.position = ScanPosition(bucket: .earliest, sequence: position)
        }
        return ScanSummary(
            lines: delivered, cursor: cursor, isComplete: reader.faults.isEmpty, faults: reader.faults)
    }

    private func nextBlock() throws(StoreError) -> BlockReference? {
        guard let block = try blocks?.next() else {
            blocks = nil
            return nil
        }
        return block
    }

    private func lookBehindLimit() throws(StoreError) {
        while !isCut, let block = try nextBlock() {
            var unwanted = FrameChunk()
            isCut = try append(block, to: &unwanted, wanted: 1) != nil
        }
    }

    // MARK: - One block

    private struct Added {
        var lines: Int
        var last: Sequence
        /// The block holds more that is in range than was wanted.
        var isCut = false
    }

    /// `nil` where the block holds nothing that is in range, or is damaged.
    private func append(_ block: BlockReference, to chunk: inout FrameChunk, wanted: Int) throws(StoreError) -> Added? {
        guard let filter = start.filter else { return nil }
        if block.entry.lines <= wanted, filter.holdsWhole(block.entry) {
            guard let isStored = try appendStored(block, to: &chunk) else { return nil }
            if isStored { return Added(lines: block.entry.lines, last: block.entry.lastSequence) }
        }
        output.clear()
        try reader.append(block, buckets: filter.buckets, order: .arrival, to: output)
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

    /// False where the block is no LZ4 frame of lines in order of arrival; `nil` where it is damaged.
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
