/// Why a blob was refused, and with it all that came with it.
public struct BlobFault: Error, Equatable, Sendable {
    /// What a client may match on, and what it is counted under.
    public enum Reason: String, CaseIterable, Sendable {
        /// Not an object.
        case notABlob = "not_a_blob"
        /// A known field of another type, or beyond its bounds.
        case badField = "bad_field"
        /// A field that nobody knows, where those refuse a blob.
        case unknownField = "unknown_field"
        /// More than come from any browser at once.
        case tooMany = "too_many_blobs"
        /// A rule of events (SPEC T1) is broken.
        case badEvent = "bad_event"
    }

    public let reason: Reason
    /// Which one of those that came together, from 0.
    public var blob = 0
    /// The field, with its place in it: `screen_size.width`, `event_stream[3][1]`.
    public let field: String?
    /// The rule.
    public let rule: String

    init(_ reason: Reason, field: String? = nil, _ rule: String) {
        self.reason = reason
        self.field = field
        self.rule = rule
    }

    /// A sentence for whoever sent it.
    public var message: String {
        let place = field.map { "blob \(blob), \($0)" } ?? "blob \(blob)"
        return "\(place): \(rule); nothing that came with it was stored"
    }
}
