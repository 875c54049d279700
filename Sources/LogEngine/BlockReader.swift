import SegmentFormat

/// A block and the segment that holds it.
struct BlockReference {
    let segment: OpenSegment
    let entry: BlockIndexEntry
}

/// Reads blocks for one scan. A block that breaks a clause is reported and left out; the scan's
/// answer is then not complete.
final class BlockReader {
    /// Small blocks that follow one another are read this many bytes at a time.
    private static let readAhead = 256 << 10

    private let access: SegmentAccess
    private(set) var faults: [FileFault] = []
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlockReader.readAhead, alignment: 16)
    private var held: (segment: SegmentNumber, start: UInt64, count: Int)?

    init(_ access: SegmentAccess) { self.access = access }

    deinit { buffer.deallocate() }

    func report(_ fault: FileFault) {
        faults.append(fault)
        access.faults.report(fault)
    }

    /// Opens a listed segment; what is wrong with it counts as a fault of this scan.
    func open(_ entry: SegmentEntry, store: StoreID) throws(StoreError) -> OpenSegment? {
        guard let segment = try access.open(entry, store: store) else {
            report(FileFault(path: access.layout.hotSegment(entry.segment), fault: FormatFault(.fileMissing, at: 0)))
            return nil
        }
        segment.faults.forEach { report($0) }
        return segment
    }

    /// The meta of a block, without reading its data; `nil` where it is damaged.
    func meta(_ block: BlockReference) throws(StoreError) -> BlockMeta? {
        let bytes = try bytes(block, count: block.entry.metaLength)
        return checked(block) { () throws(FormatFault) in try Self.meta(bytes, block) }
    }

    /// Appends the lines of a block whose bucket is in `buckets`. Returns false where there are none to
    /// be had.
    @discardableResult
    func append(
        _ block: BlockReference, buckets: ClosedRange<Bucket>, to output: ScanOutput
    ) throws(StoreError) -> Bool {
        let frames = try bytes(block, count: block.entry.metaLength + block.entry.dataLength)
        let appended: Bool? = checked(block) { () throws(FormatFault) in
            let (meta, data) = try Self.taken(frames, block)
            let slice = BlockSlice(meta, buckets)
            guard slice.lines > 0 else { return false }
            let place = output.reserve(slice.byteRange.count)
            try BlockData.decode(data, of: meta, at: block.dataOffset, range: slice.byteRange, into: place)
            guard place.last == 0x0A else { throw FormatFault(.dataLines, at: block.dataOffset) }
            output.grow(by: meta.runs[slice.runs], slice.span(meta))
            return true
        }
        return appended ?? false
    }

    /// Decodes the lines of a block whose bucket is in `buckets`, and calls `body` with them.
    func withLines(
        _ block: BlockReference, buckets: ClosedRange<Bucket>, scratch: ScanOutput,
        _ body: (BlockMeta, BlockSlice, UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        let frames = try bytes(block, count: block.entry.metaLength + block.entry.dataLength)
        _ = checked(block) { () throws(FormatFault) in
            let (meta, data) = try Self.taken(frames, block)
            let slice = BlockSlice(meta, buckets)
            guard slice.lines > 0 else { return }
            let place = scratch.reserve(slice.byteRange.count)
            try BlockData.decode(data, of: meta, at: block.dataOffset, range: slice.byteRange, into: place)
            guard place.last == 0x0A else { throw FormatFault(.dataLines, at: block.dataOffset) }
            body(meta, slice, UnsafeRawBufferPointer(place))
        }
    }

    private func checked<Result>(
        _ block: BlockReference, _ body: () throws(FormatFault) -> Result
    ) -> Result? {
        do throws(FormatFault) {
            return try body()
        } catch {
            report(FileFault(path: block.segment.file.path, fault: error))
            return nil
        }
    }

    private static func taken(
        _ frames: UnsafeRawBufferPointer, _ block: BlockReference
    ) throws(FormatFault) -> (BlockMeta, UnsafeRawBufferPointer) {
        let meta = try meta(frames, block)
        let data = UnsafeRawBufferPointer(rebasing: frames.dropFirst(block.entry.metaLength))
        try BlockData.check(data, of: meta, at: block.dataOffset)
        return (meta, data)
    }

    /// Decodes a meta and compares it with the index (E2).
    private static func meta(
        _ frames: UnsafeRawBufferPointer, _ block: BlockReference
    ) throws(FormatFault) -> BlockMeta {
        let (meta, length) = try BlockMeta.decode(
            frames, at: block.entry.offset, segment: block.segment.number, salt: block.segment.salt)
        guard BlockIndexEntry(meta, offset: block.entry.offset, metaLength: length) == block.entry else {
            throw FormatFault(.sealBlocks, at: block.entry.offset)
        }
        return meta
    }

    // MARK: - Bytes

    /// The first `count` bytes of a block's frames, fewer where the file ends; valid until the next call.
    private func bytes(_ block: BlockReference, count: Int) throws(StoreError) -> UnsafeRawBufferPointer {
        let offset = block.entry.offset
        if let held, held.segment == block.segment.number, offset >= held.start,
            offset + UInt64(count) <= held.start + UInt64(held.count)
        {
            return slice(from: Int(offset - held.start), count)
        }
        let wanted = max(count, isSequential(block) ? Self.readAhead : 0)
        if buffer.count < wanted {
            buffer.deallocate()
            held = nil
            buffer = .allocate(byteCount: wanted + wanted / 2, alignment: 16)
        }
        let got = try block.segment.file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
        held = (block.segment.number, offset, got)
        return slice(from: 0, min(count, got))
    }

    private func isSequential(_ block: BlockReference) -> Bool {
        guard let held, held.segment == block.segment.number else { return false }
        let end = held.start + UInt64(held.count)
        return block.entry.offset >= held.start && block.entry.offset <= end
    }

    private func slice(from start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[start..<start + count])
    }
}

extension BlockReference {
    var dataOffset: UInt64 { entry.offset + UInt64(entry.metaLength) }
}

/// The runs of a block that lie in a range of buckets: consecutive, because a block is ordered.
struct BlockSlice {
    let runs: Range<Int>
    let lineRange: Range<Int>
    let byteRange: Range<Int>
    var lines: Int { lineRange.count }

    init(_ meta: BlockMeta, _ buckets: ClosedRange<Bucket>) {
        var (line, byte) = (0, 0)
        var first: (run: Int, line: Int, byte: Int)?
        var end = (run: 0, line: 0, byte: 0)
        for (index, run) in meta.runs.enumerated() where run.bucket <= buckets.upperBound {
            if run.bucket >= buckets.lowerBound {
                first = first ?? (index, line, byte)
                end = (index + 1, line + run.lines, byte + run.bytes)
            }
            line += run.lines
            byte += run.bytes
        }
        let start = first ?? end
        runs = start.run..<end.run
        lineRange = start.line..<end.line
        byteRange = start.byte..<end.byte
    }

    /// The sequences of the lines.
    func span(_ meta: BlockMeta) -> SequenceSpan {
        switch meta.arrangement {
        case .arrival, .perBlock:
            .consecutive(from: meta.firstSequence.value + UInt64(lineRange.lowerBound), count: lines)
        case .perLine(let offsets):
            .listed(offsets[lineRange].map { meta.firstSequence.value + $0 })
        }
    }
}
