import LogEngine
import NIOCore
import SegmentFormat

/// Where the lines come from.
enum EventSource {
    case lines(Scan)
    case frames(FrameScan)

    init(_ snapshot: LogSnapshot, _ request: ScanRequest, _ form: EventForm) throws(StoreError) {
        if let codec = form.codec {
            self = .frames(try FrameScan(snapshot, request, codec: codec))
        } else {
            self = .lines(try Scan(snapshot, request))
        }
    }

    var summary: ScanSummary {
        switch self {
        case .lines(let scan): scan.summary
        case .frames(let scan): scan.summary
        }
    }

    /// Reads to the end.
    func skip() throws(StoreError) {
        switch self {
        case .lines(let scan): while try scan.next() != nil {}
        case .frames(let scan): while try scan.next() != nil {}
        }
    }

    /// Goes on behind all that was delivered.
    var present: ScanCursor {
        switch self {
        case .lines(let scan): scan.present
        case .frames(let scan): scan.present
        }
    }

    /// Goes on behind what was told of the last chunk; `nil` at the end.
    func cursor(inChunk chunk: ChunkReader?) -> ScanCursor? {
        guard case .lines(let scan) = self, let chunk else { return summary.cursor }
        return scan.cursor(behindLines: chunk.linesTold)
    }
}

extension EventPieces {
    /// Where the page behind that of a request begins; `nil` where there is none.
    static func cursor(
        behind request: ScanRequest, of snapshot: LogSnapshot, form: EventForm
    ) throws(StoreError) -> ScanCursor? {
        let source = try EventSource(snapshot, request, form)
        try source.skip()
        return source.summary.cursor
    }
}

extension ByteBuffer: FrameSink {
    public var byteCount: Int { readableBytes }

    public mutating func append(_ frame: UnsafeRawBufferPointer, lines: Int) { writeBytes(frame) }
}
