import LogEngine
import NIOCore
import SegmentFormat

/// The body of an answer, in pieces: what scans find, in the form that the client wants, with the
/// digest of it all. One caller at a time; its calls block, so they belong on the blocking pool.
final class EventPieces: @unchecked Sendable {
    /// Bytes of a piece: enough that a change of threads for each pays. A row that is longer is a piece of its own.
    static let pieceBytes = 1 << 20
    /// Pieces that may be ready before they can be written.
    static let ahead = 2
    /// Bytes after which no other frame is begun in a piece.
    static let frameBytes = pieceBytes * 3 / 4
    /// Bytes of a piece where the scan has no place.
    static let lonePieceBytes = 64 << 10
    static let separator: StaticString = ",\n"

    private let form: EventForm
    private let places: ScanPlaces
    /// `nil`: the scan is made anew for each piece, or has come to its end.
    private var place: ScanPlace?
    private var snapshot: LogSnapshot
    /// What is still to be told, where the scan has no place.
    private var request: ScanRequest
    private var source: EventSource?
    private var chunk: ChunkReader?
    private var buffers = BufferRing()
    private var isFirstRow = true
    private var hasBegun = false
    private let digest = RunningHash()
    /// By scans that are no more.
    private var told = (lines: 0, isComplete: true)
    private var isAtEnd = false
    /// It ended before its scan did, because of `stop()`.
    private(set) var wasStopped = false
    private var lastCursor: ScanCursor?
    /// Lines that about fill a piece.
    private var lonePieceLines = 256

    /// The newest snapshot, where a purge took files that the one before names.
    private let renewed: @Sendable () -> LogSnapshot

    init(
        _ snapshot: LogSnapshot, _ request: ScanRequest, form: EventForm, places: ScanPlaces,
        renewed: @escaping @Sendable () -> LogSnapshot
    ) throws(StoreError) {
        self.form = form
        self.places = places
        self.renewed = renewed
        self.snapshot = snapshot
        self.request = request
        source = try EventSource(snapshot, request, form)
        takePlace()
    }

    private func takePlace() {
        place = places.take()
        if place == nil { source = nil }
    }

    /// Goes on with another scan, once `next()` has come to the end of the one before.
    func proceed(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) {
        let next = try EventSource(snapshot, request, form)
        close()
        (self.snapshot, self.request, isAtEnd) = (snapshot, request, false)
        source = next
        takePlace()
    }

    /// The scan is kept between two pieces.
    var hasPlace: Bool { place != nil }
    /// Lines that were read so far.
    var count: Int { told.lines + (source?.summary.lines ?? 0) }
    /// Nothing that was asked for is missing.
    var isComplete: Bool { told.isComplete && source?.summary.isComplete ?? true }
    /// Where a next page begins, once `next()` has come to the end.
    var cursor: ScanCursor? { source.map(\.summary.cursor) ?? lastCursor }
    /// The XXH3-128 of all pieces.
    var hash: Hash128 { digest.wide }

    /// The next piece; `nil` at the end of the scan.
    func next() throws(StoreError) -> ByteBuffer? {
        try hasPlace ? nextPiece(Self.pieceBytes) : nextLonePiece()
    }

    private func nextPiece(_ bytes: Int) throws(StoreError) -> ByteBuffer? {
        var piece = hasPlace ? buffers.take() : ByteBufferAllocator().buffer(capacity: bytes)
        if form.codec != nil {
            try fillWithFrames(&piece, to: hasPlace ? Self.frameBytes : Bounds.scanChunk)
        } else if form == .lines, hasPlace {
            try fillInPlace(&piece)
        } else {
            try fill(&piece, to: bytes)
        }
        guard piece.readableBytes > 0 else { return nil }
        hasBegun = true
        piece.withUnsafeReadableBytes { digest.update($0) }
        if hasPlace { buffers.keep(piece) }
        return piece
    }

    private func fill(_ piece: inout ByteBuffer, to bytes: Int) throws(StoreError) {
        if !hasBegun, form == .rows { piece.writeStaticString("[") }
        while var reader = try currentChunk() {
            reader.fill(&piece, to: bytes, wholeLines: !hasPlace, isFirstRow: &isFirstRow)
            chunk = reader
            guard reader.isAtEnd else { break }
            if !hasPlace { break }
            chunk = nil
            if piece.readableBytes == bytes { break }
        }
    }

    /// Lines are decoded straight into the piece, as long as another chunk like the last one fits. One that does
    /// not is copied from where the scan has it, in as many pieces as it takes.
    private func fillInPlace(_ piece: inout ByteBuffer) throws(StoreError) {
        var chunkBytes = 0
        repeat {
            if chunk == nil {
                let before = piece.readableBytes
                guard try decode(into: &piece) else { return }
                chunkBytes = piece.readableBytes - before
            }
            if var reader = chunk {
                reader.fill(&piece, to: Self.pieceBytes, wholeLines: false, isFirstRow: &isFirstRow)
                chunk = reader.isAtEnd ? nil : reader
            }
        } while chunk == nil && piece.readableBytes + max(chunkBytes, 1) <= Self.pieceBytes
    }

    /// Brings the next chunk: behind what the piece has, or as `chunk` where it does not fit there. False at
    /// the end.
    private func decode(into piece: inout ByteBuffer) throws(StoreError) -> Bool {
        let room = Self.pieceBytes - piece.readableBytes
        var found: Result<ScanChunk?, StoreError> = .success(nil)
        piece.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
            let place = UnsafeMutableRawBufferPointer(rebasing: space[..<room])
            found = Result { () throws(StoreError) in try nextChunk(in: place) }
            guard case .success(let chunk?) = found, chunk.isInPlace else { return 0 }
            // Lines in front of it may have been those of an earlier page.
            place.copyMemory(from: chunk.bytes)
            return chunk.bytes.count
        }
        guard let next = try found.get() else { return false }
        if !next.isInPlace { chunk = ChunkReader(next, form: form, store: snapshot.store) }
        return true
    }

    // MARK: - Without a place

    private func nextLonePiece() throws(StoreError) -> ByteBuffer? {
        guard !isAtEnd else { return nil }
        if snapshot.isRevoked { snapshot = renewed() }
        var part = request
        if form.codec == nil { part.limit = min(request.limit ?? .max, lonePieceLines) }
        source = try EventSource(snapshot, part, form)
        let piece = try nextPiece(Self.lonePieceBytes)
        try goOnBehindPiece(isFull: piece.map { $0.readableBytes > Self.lonePieceBytes / 2 } ?? false)
        return piece
    }

    /// Lets the scan go, and keeps where the next one begins.
    private func goOnBehindPiece(isFull: Bool) throws(StoreError) {
        guard let source else { return }
        let untold = chunk?.linesLeft ?? 0
        let lines = source.summary.lines - untold
        request.limit = request.limit.map { $0 - lines }
        if lines == 0 || request.limit == 0 {
            // Whether something follows is known once the scan has come to its limit.
            if untold == 0 { try source.skip() }
            isAtEnd = true
            lastCursor = source.summary.cursor
        } else {
            request.cursor = source.cursor(inChunk: chunk)
            isAtEnd = request.cursor == nil
        }
        lonePieceLines = isFull ? lines + lines / 4 + 1 : min(lonePieceLines * 2, Bounds.pageLines)
        told = (told.lines + lines, told.isComplete && source.summary.isComplete)
        self.source = nil
        chunk = nil
    }

    /// Ends the body before the scan has come to its end, behind a whole line: returns the rest of the one that was
    /// cut, or one more, since a cursor goes on behind a line. `nil` where nothing was begun.
    func stop() -> ByteBuffer? {
        guard !isAtEnd else { return nil }
        var rest = ByteBuffer()
        chunk?.fill(&rest, to: 0, wholeLines: true, isFirstRow: &isFirstRow)
        rest.withUnsafeReadableBytes { digest.update($0) }
        if let source {
            told = (told.lines + source.summary.lines - (chunk?.linesLeft ?? 0), false)
            request.cursor = chunk == nil ? source.present : source.cursor(inChunk: chunk)
        }
        (source, chunk, isAtEnd, wasStopped) = (nil, nil, true, true)
        (told.isComplete, lastCursor) = (false, request.cursor)
        return rest.readableBytes > 0 ? rest : nil
    }

    /// Lets the scan go and gives up its place.
    func close() {
        told = (count, isComplete)
        lastCursor = cursor
        (source, chunk, place, isAtEnd) = (nil, nil, nil, true)
        buffers = BufferRing()
    }

    private func currentChunk() throws(StoreError) -> ChunkReader? {
        if let chunk { return chunk }
        return try nextChunk().map { ChunkReader($0, form: form, store: snapshot.store) }
    }

    private func nextChunk(
        in place: UnsafeMutableRawBufferPointer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    ) throws(StoreError) -> ScanChunk? {
        guard case .lines(let scan)? = source else { return nil }
        do throws(StoreError) {
            return try scan.next(in: place)
        } catch {
            try goOnWithNewerSnapshot(after: error)
            return try nextChunk(in: place)
        }
    }

    private func fillWithFrames(_ piece: inout ByteBuffer, to bytes: Int) throws(StoreError) {
        guard case .frames(let scan)? = source else { return }
        do throws(StoreError) {
            _ = try scan.fill(&piece, to: bytes)
        } catch {
            try goOnWithNewerSnapshot(after: error)
            try fillWithFrames(&piece, to: bytes)
        }
    }

    /// A purge that could wait no longer has taken files that the scan has still to read. What it has still to
    /// deliver may have been none of what was purged; else this throws, as everything that is no purge does.
    private func goOnWithNewerSnapshot(after error: StoreError) throws(StoreError) {
        guard error.code == .revoked, hasPlace, let source else { throw error }
        request.cursor = source.present
        request.after = nil
        request.limit = request.limit.map { $0 - source.summary.lines }
        told = (told.lines + source.summary.lines, told.isComplete && source.summary.isComplete)
        snapshot = renewed()
        if request.limit == 0 {
            // All is told; what is left to learn is whether something follows.
            lastCursor = try follows(request) ? request.cursor : nil
            (self.source, isAtEnd) = (nil, true)
        } else {
            self.source = try EventSource(snapshot, request, form)
        }
    }

    private func follows(_ request: ScanRequest) throws(StoreError) -> Bool {
        var next = request
        next.limit = 1
        return try Scan(snapshot, next).next() != nil
    }

    /// What ends the body.
    func closing() -> ByteBuffer? {
        let end: ByteBuffer
        switch form {
        case .rows: end = ByteBuffer(string: hasBegun ? "]\n" : "[]\n")
        case .codedLines where !hasBegun: end = ByteBuffer(bytes: ZstdFrame.empty)
        case .lines, .codedLines, .changes, .frames: return nil
        }
        end.withUnsafeReadableBytes { digest.update($0) }
        return end
    }

    /// What tells a client that waits for the next piece that the server is still there.
    func heartbeat() -> ByteBuffer {
        let beat = ByteBuffer(staticString: "\r\n")
        beat.withUnsafeReadableBytes { digest.update($0) }
        return beat
    }
}
