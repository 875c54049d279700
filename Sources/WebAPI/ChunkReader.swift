import LogEngine
import NIOCore
import SegmentFormat

/// What of a chunk is still to be written. The chunk is the scan's and may be large, so it is copied
/// out piece by piece.
struct ChunkReader {
    private let chunk: ScanChunk
    private let form: EventForm
    private let store: StoreID
    /// Of each line, where the form tells them.
    private let sequences: [Sequence]
    private var line = 0
    private var byte = 0

    init(_ chunk: ScanChunk, form: EventForm, store: StoreID) {
        self.chunk = chunk
        self.form = form
        self.store = store
        sequences = form == .rows || form == .changes ? chunk.sequences : []
    }

    var isAtEnd: Bool { byte == chunk.bytes.count }
    /// Lines that were written whole.
    var linesTold: Int { UnsafeRawBufferPointer(rebasing: chunk.bytes[..<byte]).lineFeeds }
    var linesLeft: Int { chunk.lines - linesTold }

    /// Writes what fits below `limit` readable bytes, and a row, or with `wholeLines` a line, that does not
    /// when `piece` has none yet.
    mutating func fill(_ piece: inout ByteBuffer, to limit: Int, wholeLines: Bool, isFirstRow: inout Bool) {
        switch form {
        case .lines, .codedLines, .frames: copyBytes(to: &piece, limit: limit, wholeLines: wholeLines)
        case .rows, .changes: while !isAtEnd, writeRow(to: &piece, limit: limit, isFirst: &isFirstRow) {}
        }
    }

    private mutating func copyBytes(to piece: inout ByteBuffer, limit: Int, wholeLines: Bool) {
        var end = min(byte + limit - piece.readableBytes, chunk.bytes.count)
        if wholeLines, end < chunk.bytes.count {
            if let lineFeed = chunk.bytes[byte..<end].lastIndex(of: 0x0A) {
                end = lineFeed + 1
            } else if piece.readableBytes == 0, let lineFeed = chunk.bytes.firstLineFeed(from: byte) {
                end = lineFeed + 1
            } else {
                return
            }
        }
        piece.writeBytes(UnsafeRawBufferPointer(rebasing: chunk.bytes[byte..<end]))
        byte = end
    }

    private mutating func writeRow(to piece: inout ByteBuffer, limit: Int, isFirst: inout Bool) -> Bool {
        guard let end = chunk.bytes.firstLineFeed(from: byte) else { return false }
        let row = EventRow(
            UnsafeRawBufferPointer(rebasing: chunk.bytes[byte..<end]),
            id: EventID(store: store, sequence: sequences[line]))
        let needed = row.maximumByteCount + EventPieces.separator.utf8CodeUnitCount
        guard piece.readableBytes + needed <= limit || piece.readableBytes <= 1 else { return false }
        if form == .rows, !isFirst { piece.writeStaticString(EventPieces.separator) }
        isFirst = false
        piece.writeWithUnsafeMutableBytes(minimumWritableBytes: needed) { place in
            place.baseAddress.map { form == .rows ? row.write(to: $0) : row.writeChange(to: $0) } ?? 0
        }
        line += 1
        byte = end + 1
        return true
    }
}
