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

    struct Follow: Sendable {
        let range: ClosedRange<UInt64>
        let after: Sequence
    }

    static func fields(_ form: EventForm) -> HTTPFields {
        [
            .contentType: form.mediaType,
            .vary: "Accept",
            .trailer: "Daybook-Count, Daybook-Cursor, Daybook-XXH3, Daybook-Complete",
        ]
    }

    var fields: HTTPFields {
        var fields = Self.fields(form)
        if let next { fields[.nextLink] = "<\(next)>; rel=\"next\"" }
        return fields
    }

    /// What is known once the whole body is.
    func trailer(isComplete: Bool) -> HTTPFields {
        var fields: HTTPFields = [
            .daybookCount: String(pieces.count),
            .daybookDigest: Self.hex(pieces.hash),
            .daybookComplete: isComplete && pieces.isComplete ? "true" : "false",
        ]
        if let cursor = pieces.cursor { fields[.daybookCursor] = cursor.text }
        return fields
    }

    /// As `xxhsum` prints it, the high half first.
    static func hex(_ hash: Hash128) -> String {
        [hash.high, hash.low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
