import Interactions
import LogEngine
import NIOCore
import SegmentFormat
import StrictJSON

/// Turns a body of NDJSON into the lines that are stored for it. The first bad line refuses it all, unless
/// bad lines are skipped.
struct EventDecoder {
    /// A task that decodes a large body gives way to others after so many bytes.
    static let stretchBytes = 256 << 10

    struct Decoded {
        let batch: LineBatch
        /// The lines that were skipped; `nil` where none may be.
        var skipped: [LineFault]?
    }

    private let scanner: EventScanner
    private let batch: LineBatch
    private var skipped: [LineFault]?
    private var offset = 0
    private var line = 0

    static func decode(
        _ body: ByteBuffer, skipsFaults: Bool, resolution: Resolution
    ) async throws(Problem) -> Decoded {
        var decoder = EventDecoder(body.readableBytes, resolution)
        if skipsFaults { decoder.skipped = [] }
        while decoder.offset < body.readableBytes {
            if decoder.offset > 0 { await Task.yield() }
            try decoder.decodeStretch(of: body)
        }
        return Decoded(batch: decoder.batch, skipped: decoder.skipped)
    }

    /// The same without giving way to anyone, for a body of no more than a stretch.
    static func decodeSmall(_ body: ByteBuffer, resolution: Resolution) throws(Problem) -> LineBatch {
        precondition(body.readableBytes <= stretchBytes)
        var decoder = EventDecoder(body.readableBytes, resolution)
        try decoder.decodeStretch(of: body)
        return decoder.batch
    }

    private init(_ byteCount: Int, _ resolution: Resolution) {
        scanner = EventScanner(resolution: resolution)
        // A last line without its LF gets one.
        batch = LineBatch(capacity: byteCount + 1)
    }

    /// Decodes whole lines, up to the first that ends behind the stretch.
    private mutating func decodeStretch(of body: ByteBuffer) throws(Problem) {
        var problem: Problem?
        body.withUnsafeReadableBytes { bytes in
            do throws(Problem) { try decodeStretch(of: bytes) } catch { problem = error }
        }
        if let problem { throw problem }
    }

    private mutating func decodeStretch(of body: UnsafeRawBufferPointer) throws(Problem) {
        let end = body.firstLineFeed(from: offset + Self.stretchBytes).map { $0 + 1 } ?? body.count
        let stretch = UnsafeRawBufferPointer(rebasing: body[offset..<end])
        for (event, number, start) in NDJSONLines(stretch) {
            do throws(EventFault) {
                try append(event)
            } catch {
                let fault = LineFault(line: line + number, offset: offset + start + error.offset, fault: error)
                guard skipped != nil else { throw .badEvent(fault) }
                skipped?.append(fault)
            }
            if batch.lineCount + (skipped?.count ?? 0) > Bounds.batchLines { throw .tooManyLines }
        }
        if end < body.count { line += stretch.lineFeeds }
        offset = end
    }

    private func append(_ event: UnsafeRawBufferPointer) throws(EventFault) {
        try batch.append(maximumBytes: event.count) { (place) throws(EventFault) in
            let scanned = try scanner.scan(event, into: place)
            return (scanned.bucket, scanned.byteCount)
        }
    }
}
