import LogEngine
import NIOCore
import SegmentFormat

/// The body of an answer, in pieces: what scans find, in the form that the client wants, with the
/// digest of it all. One caller at a time; its calls block, so they belong on the blocking pool.
final class EventPieces: @unchecked Sendable {
    /// Bytes of a piece. A row that is longer is a piece of its own.
    static let pieceBytes = 128 << 10
    /// Pieces that are made at a time, so that a change of threads pays; among many answers one, and small.
    private static let piecesAtOnce = 4
    private static let crowdedPieceBytes = 64 << 10
    static let separator: StaticString = ",\n"

    private let form: EventForm
    private let counters: Counters
    private var source: Source
    private var store: StoreID
    private var chunk: ChunkReader?
    private var buffers = BufferRing()
    private var isFirstRow = true
    private var hasBegun = false
    private let digest = RunningHash()
    private var earlier = (lines: 0, isComplete: true)

    init(
        _ snapshot: LogSnapshot, _ request: ScanRequest, form: EventForm, counters: Counters
    ) throws(StoreError) {
        self.form = form
        self.counters = counters
        store = snapshot.store
        source = try Source(snapshot, request, form)
    }

    /// Goes on with another scan, once `next()` has come to the end of the one before.
    func proceed(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) {
        let next = try Source(snapshot, request, form)
        earlier = (count, isComplete)
        chunk = nil
        source = next
    }

    /// Lines that were read so far.
    var count: Int { earlier.lines + source.summary.lines }
    /// Nothing that was asked for is missing.
    var isComplete: Bool { earlier.isComplete && source.summary.isComplete }
    /// Where a next page begins, once `next()` has come to the end.
    var cursor: ScanCursor? { source.summary.cursor }
    /// The XXH3-128 of all pieces.
    var hash: Hash128 { digest.wide }

    /// The next pieces; none at the end of the scan.
    func next() throws(StoreError) -> [ByteBuffer] {
        let isCrowded = counters.isCrowded
        if isCrowded { buffers = BufferRing() }
        var pieces: [ByteBuffer] = []
        while pieces.count < (isCrowded ? 1 : Self.piecesAtOnce), let piece = try nextPiece(isCrowded) {
            pieces.append(piece)
        }
        return pieces
    }

    private func nextPiece(_ isCrowded: Bool) throws(StoreError) -> ByteBuffer? {
        if case .frames(let scan) = source { return try scan.next().map { buffer(of: $0) } }
        let bytes = isCrowded ? Self.crowdedPieceBytes : Self.pieceBytes
        var piece = buffers.take(bytes)
        if !hasBegun, form == .rows { piece.writeStaticString("[") }
        while var reader = try currentChunk() {
            reader.fill(&piece, to: bytes, isFirstRow: &isFirstRow)
            chunk = reader.isAtEnd ? nil : reader
            if chunk != nil || piece.readableBytes == bytes { break }
        }
        guard piece.readableBytes > 0 else { return nil }
        hasBegun = true
        piece.withUnsafeReadableBytes { digest.update($0) }
        buffers.keep(piece)
        return piece
    }

    private func buffer(of frames: FrameChunk) -> ByteBuffer {
        frames.bytes.withUnsafeBytes { digest.update($0) }
        return ByteBuffer(bytes: frames.bytes)
    }

    private func currentChunk() throws(StoreError) -> ChunkReader? {
        if let chunk { return chunk }
        guard case .lines(let scan) = source else { return nil }
        return try scan.next().map { ChunkReader($0, form: form, store: store) }
    }

    /// What ends the body.
    func closing() -> ByteBuffer? {
        guard form == .rows else { return nil }
        let end = ByteBuffer(string: hasBegun ? "]\n" : "[]\n")
        end.withUnsafeReadableBytes { digest.update($0) }
        return end
    }

    /// What tells a client that waits for the next piece that the server is still there.
    func heartbeat() -> ByteBuffer {
        let beat = ByteBuffer(staticString: "\r\n")
        beat.withUnsafeReadableBytes { digest.update($0) }
        return beat
    }

    /// Reads the scan to its end, so that `count` and `cursor` hold, and gives nothing of it.
    func skip() throws(StoreError) {
        chunk = nil
        switch source {
        case .lines(let scan): while try scan.next() != nil {}
        case .frames(let scan): while try scan.next() != nil {}
        }
    }
}

/// Where the lines come from.
private enum Source {
    case lines(Scan)
    case frames(FrameScan)

    init(_ snapshot: LogSnapshot, _ request: ScanRequest, _ form: EventForm) throws(StoreError) {
        self = form == .frames ? .frames(try FrameScan(snapshot, request)) : .lines(try Scan(snapshot, request))
    }

    var summary: ScanSummary {
        switch self {
        case .lines(let scan): scan.summary
        case .frames(let scan): scan.summary
        }
    }
}

/// Buffers that are used again once the connection has let go of them: as many as are made at a time, as
/// many that are being sent, and those that may still wait for the socket.
private struct BufferRing {
    private static let size = 12
    private var buffers: [ByteBuffer] = []
    private var next = 0

    /// An empty buffer. Clearing one that is still held elsewhere leaves that one alone.
    mutating func take(_ bytes: Int) -> ByteBuffer {
        guard buffers.count == Self.size else { return ByteBufferAllocator().buffer(capacity: bytes) }
        var buffer = buffers[next]
        buffers[next] = ByteBuffer()
        buffer.clear()
        return buffer
    }

    mutating func keep(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > EventPieces.pieceBytes / 2, buffer.capacity <= 2 * EventPieces.pieceBytes else {
            return
        }
        if buffers.count < Self.size {
            buffers.append(buffer)
        } else {
            buffers[next] = buffer
            next = (next + 1) % Self.size
        }
    }
}
