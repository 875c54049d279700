import SegmentFormat

/// Where the frames of a scan go, one behind the other: they decode to whole lines, and none of our metadata
/// is among them.
public protocol FrameSink {
    /// Bytes that it has taken.
    var byteCount: Int { get }
    /// Copies a frame, which decodes to so many lines.
    mutating func append(_ frame: UnsafeRawBufferPointer, lines: Int)
}

/// Frames, one behind the other.
public struct FrameChunk: FrameSink, Sendable {
    public private(set) var bytes: [UInt8] = []
    /// Lines that the frames decode to.
    public private(set) var lines = 0

    public var byteCount: Int { bytes.count }

    public mutating func append(_ frame: UnsafeRawBufferPointer, lines count: Int) {
        bytes.append(contentsOf: frame)
        lines += count
    }
}

/// A scan that delivers frames (SPEC G9): those that are stored, as they lie, and where a block is not wanted
/// whole, its lines do not come one after another, or its frame is of the other codec, new frames of lines. What
/// the frames decode to is, byte for byte, what `Scan` delivers. Cursors are those of `Scan`. Blocks on the
/// disk, and belongs to one caller at a time; memory is that of `Scan`.
public final class FrameScan {
    private let request: ScanRequest
    private let reader: BlockReader
    private let start: ScanStart
    private let encoder: FrameEncoder
    private let era: SnapshotEra?
    private var source: (any LineSource)?
    /// Lines that are wanted and in no frame yet.
    private let output = ScanOutput()
    /// A block whose stored frame comes behind them.
    private var stored: (block: BlockReference, buckets: ClosedRange<Bucket>)?
    private var delivered = 0
    private var position: ScanPosition?
    /// More is there than the limit lets through.
    private var isCut = false

    /// Fails as `Scan` does, and with `badArgument` for no codec, or LZ4 in another order than that of arrival.
    public init(_ snapshot: LogSnapshot, _ request: ScanRequest, codec: Codec) throws(StoreError) {
        guard let encoder = FrameEncoder(codec) else { throw .badArgument("frames have a codec") }
        guard codec == .zstandard || request.order == .arrival else {
            throw .badArgument("LZ4 frames come in order of arrival alone")
        }
        self.request = request
        self.encoder = encoder
        era = snapshot.era
        start = try ScanStart(snapshot, request)
        reader = BlockReader(snapshot.access, pin: start.pinned.pin, erasures: snapshot.erasures)
        for fault in snapshot.active?.segment.faults ?? [] { reader.report(fault) }
        source = start.source(snapshot, reader)
    }

    /// The next frames, about `Bounds.scanChunk` bytes or one frame; `nil` at the end of the range or of the
    /// limit.
    public func next() throws(StoreError) -> FrameChunk? {
        var chunk = FrameChunk()
        return try fill(&chunk, to: Bounds.scanChunk) ? chunk : nil
    }

    /// The same, to where the caller wants them, until it has `byteCount` bytes or more. False at the end.
    public func fill(_ sink: inout some FrameSink, to byteCount: Int) throws(StoreError) -> Bool {
        try era?.requireFiles()
        let before = delivered
        while sink.byteCount < byteCount {
            if output.lines > 0, isDue {
                encode(to: &sink)
            } else if stored != nil {
                try passStored(to: &sink)
            } else if isOpen {
                try take(to: &sink)
            } else {
                break
            }
        }
        if delivered > before { return true }
        try lookBehindLimit()
        return false
    }

    /// As that of `Scan`.
    public var present: ScanCursor {
        var cursor = start.pinned
        cursor.position = position ?? start.position ?? start.pinned.position
        return cursor
    }

    public var summary: ScanSummary {
        let isAtEnd = source == nil && stored == nil && output.lines == 0
        return ScanSummary(
            lines: delivered, cursor: isAtEnd || position == nil ? nil : present, isComplete: reader.faults.isEmpty,
            faults: reader.faults)
    }

    private func lookBehindLimit() throws(StoreError) {
        while !isCut, let source {
            output.clear()
            guard let piece = try source.next(lines: 1) else {
                self.source = nil
                break
            }
            try source.move(piece, to: output, lines: 1)
            isCut = output.lines > 0
        }
        output.clear()
    }

    // MARK: - Lines

    /// How many lines are still wanted beside those of the output.
    private var wanted: Int { (request.limit ?? .max) - delivered - output.lines }

    /// There may be lines that are wanted beside those of the output.
    private var isOpen: Bool { source != nil && !isCut && wanted > 0 }

    /// Finds the next lines, or the next block whose frame may be passed on.
    private func take(to sink: inout some FrameSink) throws(StoreError) {
        // Lines at the front may belong to earlier pages.
        let isFirst = position == nil && start.position != nil
        guard let source, let piece = try source.next(lines: isFirst && request.order == .time ? .max : wanted) else {
            source = nil
            return
        }
        if case .block(let block, let buckets) = piece, try mayPass(block, buckets) {
            stored = (block, buckets)
        } else {
            try decode(piece, from: source, to: &sink)
        }
    }

    private func decode(
        _ piece: ScanPiece, from source: any LineSource, to sink: inout some FrameSink
    ) throws(StoreError) {
        if output.lines == 0 {
            output.clear()
            source.didClear()
        }
        let before = output.byteCount
        try source.move(piece, to: output, lines: wanted)
        // What is gathered may want an output for itself.
        guard output.byteCount > before else {
            if output.lines > 0 { encode(to: &sink) }
            return
        }
        if position == nil, let start = start.position {
            output.dropFirst(lines: output.lines(through: start, order: request.order))
        }
        isCut = output.truncate(toLines: (request.limit ?? .max) - delivered)
    }

    // MARK: - Frames

    /// The output is to become frames before anything else happens. What is left of one that became some does
    /// at once, or it would grow without end.
    private var isDue: Bool {
        output.bytes.count >= encoder.frameBytes || output.hasDropped || stored != nil || !isOpen
    }

    /// The lines at the front of the output as a new frame.
    private func encode(to sink: inout some FrameSink) {
        let count = encoder.lines(of: output)
        let length = count == output.lines ? output.bytes.count : output.byteLength(ofLines: count)
        let frame = encoder.encode(UnsafeRawBufferPointer(rebasing: output.bytes[..<length]))
        frame.withUnsafeBytes { sink.append($0, lines: count) }
        position = output.position(ofLine: count - 1, order: request.order)
        delivered += count
        output.dropFirst(lines: count)
    }

    /// What lies in a block is known once it is read; but only cold ones can be Zstandard.
    private func mayPass(_ block: BlockReference, _ buckets: ClosedRange<Bucket>) throws(StoreError) -> Bool {
        guard try !reader.mayHoldErased(block) else { return false }
        guard encoder.codec == .lz4 || block.segment.isInOrderOfTime else { return false }
        return block.entry.lines <= wanted && block.entry.firstBucket >= buckets.lowerBound
            && start.filter?.holdsWhole(block.entry) ?? false
    }

    /// The stored frame; its lines, where they do not lie in the order that is wanted or the codec is another;
    /// nothing where the block is damaged.
    private func passStored(to sink: inout some FrameSink) throws(StoreError) {
        guard let (block, buckets) = stored, let source else { return }
        stored = nil
        let found = try reader.withFrame(block) { (meta, frame) throws(FormatFault) -> ScanPosition? in
            guard meta.codec == encoder.codec, request.order == .time || !meta.isReordered else { return nil }
            _ = try BlockData.layout(frame, of: meta, at: block.dataOffset)
            sink.append(frame, lines: meta.lines)
            let sequence = meta.sequence(ofLine: meta.lines - 1)
            return ScanPosition(bucket: request.order == .time ? meta.lastBucket : .earliest, sequence: sequence)
        }
        guard let found else { return }
        guard let last = found else { return try decode(.block(block, buckets: buckets), from: source, to: &sink) }
        position = last
        delivered += block.entry.lines
        source.didStream(through: last)
    }
}
