import HTTPTypes
import LogEngine
import NIOCore
import SegmentFormat

/// Names what a range of events looks like in one form (RFC 9110 §8.8.3). Found from metadata, so that an
/// answer that the client has already costs no block.
struct EntityTag: Equatable {
    let text: String

    /// `nil` where a fault may keep events of the range from being served.
    init?(_ snapshot: LogSnapshot, _ query: EventQuery, _ form: EventForm) throws(StoreError) {
        guard let events = try snapshot.tag(of: query.request.range) else { return nil }
        let request = query.request
        let kind = [form.mediaType, form.coding].compactMap { $0 }.joined(separator: " ")
        let words = [
            String(events.low), String(events.high), kind, request.order.rawValue,
            String(request.limit ?? 0), request.cursor?.text ?? "", String(query.hasEndLine),
        ]
        let hash = Array(words.joined(separator: " ").utf8).withUnsafeBytes { xxh3Wide($0) }
        text = (form.isWeaklyNamed ? "W/" : "") + "\"\(hash.hex)\""
    }

    /// Whether it is among the values of `If-None-Match`, by weak comparison.
    func matches(_ values: [String]) -> Bool {
        values.flatMap { $0.split(separator: ",") }.contains { value in
            let value = value.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return value == "*" || opaque(value) == opaque(text[...])
        }
    }

    private func opaque(_ tag: Substring) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag }
}
