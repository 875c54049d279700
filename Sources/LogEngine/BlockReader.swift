import SegmentFormat

/// A block and the segment that holds it.
struct BlockReference {
    let segment: OpenSegment
    let entry: BlockIndexEntry
    var dataOffset: UInt64 { entry.offset + UInt64(entry.metaLength) }
}

/// A block that several windows of a scan look into.
final class SharedBlock {
    let block: BlockReference
    /// Known once its data was read whole and found right: from then on only the parts that a window
    /// wants are read.
    fileprivate(set) var layout: DataLayout?

    init(_ block: BlockReference) { self.block = block }
    var entry: BlockIndexEntry { block.entry }
}

/// Reads blocks for one scan. A block that breaks a clause is reported and left out; the scan's
/// answer is then not complete.
final class BlockReader {
    private let access: SegmentAccess
    /// Lines above it are left out: they came after the first page, and have since been put among others.
    private let pin: Sequence
    private let erasures: Erasures?
    /// Of segments that were looked into: where the blocks begin that may hold something erased.
    private var erased: [SegmentNumber: Set<UInt64>] = [:]
    private(set) var faults: [FileFault] = []
    private let ahead = ReadAhead()
    private let scratch = ScanOutput()
    private let decoder = ZstdDecoder()

    init(_ access: SegmentAccess, pin: Sequence = Sequence(.max), erasures: Erasures? = nil) {
        self.erasures = erasures
        self.access = access
        self.pin = pin
    }

    func report(_ fault: FileFault) {
        if !faults.contains(fault) { faults.append(fault) }
        access.faults.report(fault)
    }

    /// Opens a listed segment; what is wrong with it counts as a fault of this scan.
    func open(_ entry: SegmentEntry, store: StoreID) throws(StoreError) -> OpenSegment? {
        guard let segment = try access.open(entry, store: store) else {
            report(FileFault(path: access.layout.path(of: entry), fault: FormatFault(.fileMissing, at: 0)))
            return nil
        }
        for fault in segment.faults { report(fault) }
        return segment
    }

    /// The meta of a block, without reading its data; `nil` where it is damaged. What was read ahead stays.
    func meta(_ block: BlockReference) throws(StoreError) -> BlockMeta? {
        let (offset, count) = (block.entry.offset, block.entry.metaLength)
        if let bytes = ahead.held(of: block.segment, from: offset, count: count) {
            return checked(block) { () throws(FormatFault) in try Self.meta(bytes, block) }
        }
        let bytes = try block.segment.file.read(count, at: offset)
        return checked(block) { () throws(FormatFault) in
            try bytes.decoded { (bytes) throws(FormatFault) in try Self.meta(bytes, block) }
        }
    }

    /// Whether some line of a block may be erased: its metadata says nothing of that.
    func mayHoldErased(_ block: BlockReference) throws(StoreError) -> Bool {
        guard let erasures, block.entry.firstSequence <= erasures.through else { return false }
        if let known = erased[block.segment.number] { return known.contains(block.entry.offset) }
        let found = try erasures.blocks(of: block.segment)
        erased[block.segment.number] = found
        return found.contains(block.entry.offset)
    }

    /// Appends the lines of a block whose bucket is in `buckets`, by bucket or in order of arrival.
    func append(
        _ block: BlockReference, buckets: ClosedRange<Bucket>, order: ScanRequest.Order, to output: ScanOutput
    ) throws(StoreError) {
        let mayHoldErased = try mayHoldErased(block)
        try withFrame(block) { (meta, data) throws(FormatFault) in
            let slice = BlockSlice(meta, buckets)
            guard slice.lines > 0 else { return }
            let isReordered = order == .arrival && meta.isReordered
            if isReordered { scratch.clear() }
            let place = (isReordered ? scratch : output).reserve(slice.byteRange.count)
            try BlockData.decode(
                data, of: meta, at: block.dataOffset, range: slice.byteRange, into: place, decoder: decoder)
            guard place.last == 0x0A else { throw FormatFault(.dataLines, at: block.dataOffset) }
            let (found, lines) = visible(meta, slice, place, mayHoldErased)
            if isReordered {
                lines.appendInOrderOfArrival(UnsafeRawBufferPointer(place), of: found, to: output)
            } else if lines.lines > 0 {
                output.grow(by: found.runs[lines.runs], lines.span(found))
            }
        }
    }

    /// Decodes the lines of a block whose bucket is in `buckets` to where a window wants them.
    func gather(
        _ shared: SharedBlock, buckets: ClosedRange<Bucket>, into window: inout WindowLayout
    ) throws(StoreError) {
        let mayHoldErased = try mayHoldErased(shared.block)
        try withPart(shared, buckets: buckets) { (part, meta, slice) throws(FormatFault) in
            let offset = shared.entry.offset
            if mayHoldErased || meta.lastSequence > pin {
                let place = try decodeToScratch(part, meta, slice)
                let (kept, lines) = visible(meta, slice, place, mayHoldErased)
                try window.place(lines, of: kept, at: offset) { (range, target) throws(FormatFault) in
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(place)[range]))
                }
            } else {
                try window.place(slice, of: meta, at: offset) { (range, target) throws(FormatFault) in
                    try part.decode(range, of: meta, into: target)
                }
            }
        }
    }

    /// Decodes the lines of a block whose bucket is in `buckets`, and calls `body` with them.
    func withLines(
        _ shared: SharedBlock, buckets: ClosedRange<Bucket>,
        _ body: (BlockMeta, BlockSlice, UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        let mayHoldErased = try mayHoldErased(shared.block)
        try withPart(shared, buckets: buckets) { (part, meta, slice) throws(FormatFault) in
            let place = try decodeToScratch(part, meta, slice)
            let (found, lines) = visible(meta, slice, place, mayHoldErased)
            body(found, lines, UnsafeRawBufferPointer(place))
        }
    }

    /// What of the lines at a place is at or below the pin, and not erased.
    private func visible(
        _ meta: BlockMeta, _ slice: BlockSlice, _ place: UnsafeMutableRawBufferPointer, _ mayHoldErased: Bool
    ) -> (meta: BlockMeta, slice: BlockSlice) {
        guard mayHoldErased || meta.lastSequence > pin else { return (meta, slice) }
        let erasures = mayHoldErased ? erasures : nil
        return slice.dropping(of: meta, place) { line, bucket, sequence in
            if sequence > pin { return true }
            let highest = meta.arrangement == .perBlock ? meta.lastSequence : sequence
            return erasures?.hides(line, bucket, highest) ?? false
        }
    }

    private func decodeToScratch(
        _ part: FramePart, _ meta: BlockMeta, _ slice: BlockSlice
    ) throws(FormatFault) -> UnsafeMutableRawBufferPointer {
        scratch.clear()
        let place = scratch.reserve(slice.byteRange.count)
        try part.decode(slice.byteRange, of: meta, into: place)
        return place
    }

    /// So much of a data frame as the lines of a slice take.
    private struct FramePart {
        let bytes: UnsafeRawBufferPointer
        /// Where the part begins in the frame.
        let start: Int
        let layout: DataLayout
        let dataOffset: UInt64
        let decoder: ZstdDecoder

        /// Bytes `range` of the block's lines, which end behind a line.
        func decode(
            _ range: Range<Int>, of meta: BlockMeta, into place: UnsafeMutableRawBufferPointer
        ) throws(FormatFault) {
            let own = layout.frameRange(range)
            let stored = UnsafeRawBufferPointer(rebasing: bytes[own.lowerBound - start..<own.upperBound - start])
            try BlockData.decode(
                stored, layout: layout, of: meta, at: dataOffset, range: range, into: place, decoder: decoder)
            guard place.last == 0x0A else { throw FormatFault(.dataLines, at: dataOffset) }
        }
    }

    /// Calls `body` with what of a block the lines of `buckets` take, if there are any. The first time all of
    /// the block is read and checked.
    private func withPart(
        _ shared: SharedBlock, buckets: ClosedRange<Bucket>,
        _ body: (FramePart, BlockMeta, BlockSlice) throws(FormatFault) -> Void
    ) throws(StoreError) {
        let block = shared.block
        guard let layout = shared.layout else {
            try withFrame(block) { (meta, data) throws(FormatFault) in
                let layout = try BlockData.layout(data, of: meta, at: block.dataOffset)
                shared.layout = layout
                let slice = BlockSlice(meta, buckets)
                guard slice.lines > 0 else { return }
                let part = FramePart(
                    bytes: data, start: 0, layout: layout, dataOffset: block.dataOffset, decoder: decoder)
                try body(part, meta, slice)
            }
            return
        }
        guard let meta = try meta(block) else { return }
        let slice = BlockSlice(meta, buckets)
        guard slice.lines > 0 else { return }
        let stored = layout.frameRange(slice.byteRange)
        let bytes = try ahead.bytes(
            of: block.segment, from: block.dataOffset + UInt64(stored.lowerBound), count: stored.count)
        checked(block) { () throws(FormatFault) in
            guard bytes.count == stored.count else { throw FormatFault(.dataTruncated, at: block.dataOffset) }
            let part = FramePart(
                bytes: bytes, start: stored.lowerBound, layout: layout, dataOffset: block.dataOffset, decoder: decoder)
            try body(part, meta, slice)
        }
    }

    /// Calls `body` with the meta and the data frame of a block; `nil` where either is damaged, or `body`
    /// finds that it is.
    @discardableResult
    func withFrame<Result>(
        _ block: BlockReference, _ body: (BlockMeta, UnsafeRawBufferPointer) throws(FormatFault) -> Result
    ) throws(StoreError) -> Result? {
        let frames = try ahead.bytes(
            of: block.segment, from: block.entry.offset, count: block.entry.metaLength + block.entry.dataLength)
        return checked(block) { () throws(FormatFault) in
            let (meta, data) = try Self.taken(frames, block)
            return try body(meta, data)
        }
    }

    @discardableResult
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
}
