import HTTPTypes
import HummingbirdCore
import LogEngine
import NIOCore
import SegmentFormat

/// An answer that is written as it is read, and ends with a trailer.
struct EventAnswer: Sendable {
    let form: EventForm
    let pieces: EventPieces
    /// Pieces that were made before the head was sent.
    var held: [ByteBuffer] = []
    /// The path and query of the next page.
    var next: String?
    /// What to follow when the past is told; `nil` where the answer ends there.
    var follow: Follow?
    var ending = Ending()
    var tag: EntityTag?
    /// What is recorded of it; `nil` where nothing is.
    var access: AuditedAccess?

    struct Follow: Sendable {
        let range: ClosedRange<UInt64>
        let after: Sequence
        /// The longest silence.
        var heartbeat: Duration?
    }

    /// How the client wants to be told that the answer is whole.
    struct Ending: Equatable {
        var hasTrailer = true
        /// A last line of NDJSON says what the trailer says.
        var hasLine = false
    }

    static func fields(_ form: EventForm, _ ending: Ending, _ tag: EntityTag?) -> HTTPFields {
        var fields: HTTPFields = [.contentType: form.mediaType, .vary: form.vary]
        if let coding = form.coding { fields[.contentEncoding] = coding }
        if let tag { fields[.eTag] = tag.text }
        if ending.hasTrailer {
            fields[.trailer] = "Daybook-Count, Daybook-Cursor, Daybook-XXH3, Daybook-Complete"
        }
        return fields
    }

    var fields: HTTPFields {
        var fields = Self.fields(form, ending, tag)
        if let next { fields[.nextLink] = "<\(next)>; rel=\"next\"" }
        return fields
    }

    /// What is known once the whole body is.
    /// - Parameter reason: why it ends early, as a token.
    func trailer(isComplete: Bool, reason: String?) -> HTTPFields {
        var fields: HTTPFields = [
            .daybookCount: String(pieces.count),
            .daybookDigest: pieces.hash.hex,
            .daybookComplete: isComplete && pieces.isComplete ? "true" : "false",
        ]
        if let reason { fields[.daybookReason] = reason }
        if let cursor = pieces.cursor { fields[.daybookCursor] = cursor.text }
        return fields
    }

    /// The last line, where the client wants one, as the body is coded; the hash is that of all before it.
    func lastLine(_ trailer: HTTPFields) -> ByteBuffer {
        let line = Self.line(trailer)
        guard form == .codedLines else { return line }
        return line.withUnsafeReadableBytes { ByteBuffer(bytes: ZstdEncoder(level: 1).encode($0)) }
    }

    private static func line(_ trailer: HTTPFields) -> ByteBuffer {
        var json = ByteBuffer(string: #"{"daybook":{"count":\#(trailer[.daybookCount] ?? "0"),"cursor":"#)
        if let cursor = trailer[.daybookCursor] { json.writeJSON(cursor) } else { json.writeStaticString("null") }
        json.writeStaticString(#","xxh3":"#)
        json.writeJSON(trailer[.daybookDigest] ?? "")
        json.writeString(#","complete":\#(trailer[.daybookComplete] ?? "false")"#)
        if let reason = trailer[.daybookReason] {
            json.writeStaticString(#","reason":"#)
            json.writeJSON(reason)
        }
        json.writeStaticString("}}\n")
        return json
    }
}
