import Interactions
import LogEngine
import SegmentFormat

/// What `GET /wsapi/interaction_data` asks for.
struct EventQuery {
    var request: ScanRequest
    /// Goes on with what is stored after the answer has begun.
    var follows: Bool
    /// The last line of the answer says what its trailer says.
    var hasEndLine: Bool

    init(_ parameters: QueryParameters) throws(Problem) {
        request = ScanRequest(
            range: try Self.range(parameters), order: try Self.order(parameters), limit: try Self.limit(parameters),
            cursor: try Self.cursor(parameters))
        follows = try Self.follows(parameters)
        hasEndLine = parameters.has("end", Self.endLine)
        if follows, request.limit != nil { throw .badParameter("follow", "it cannot be used with limit") }
        if follows, request.cursor != nil { throw .badParameter("follow", "it cannot be used with cursor") }
    }

    /// The `seq` of the last change that a client has.
    static func since(_ parameters: QueryParameters) throws(Problem) -> Sequence? {
        guard let text = try parameters.value("since") else { return nil }
        guard let number = number(text), number < UInt64(Int64.max) else {
            throw .badParameter("since", "it is the seq of a change")
        }
        return Sequence(number)
    }

    /// As a value of `end`, beside the end of the range or without one.
    private static let endLine = "line"

    /// Milliseconds, both ends in; a missing one is open.
    static func range(_ parameters: QueryParameters) throws(Problem) -> ClosedRange<UInt64> {
        let start = try moment("start", parameters) ?? 0
        let end = try moment("end", parameters) ?? .max
        guard start <= end else { throw .badParameter("start", "it must not be after end") }
        return start...end
    }

    /// Milliseconds. A number below 10^11 is seconds, as in an event.
    private static func moment(_ name: String, _ parameters: QueryParameters) throws(Problem) -> UInt64? {
        guard let text = try parameters.value(name, besides: name == "end" ? endLine : nil) else { return nil }
        guard let number = number(text) else {
            throw .badParameter(name, "a time is a whole number of milliseconds, or of seconds, since 1970")
        }
        return number < 100_000_000_000 ? number * 1_000 : number
    }

    private static func limit(_ parameters: QueryParameters) throws(Problem) -> Int? {
        guard let text = try parameters.value("limit") else { return nil }
        guard let number = number(text), number >= 1, number <= Bounds.pageLines else {
            throw .badParameter("limit", "it is a whole number from 1 to \(Bounds.pageLines)")
        }
        return Int(number)
    }

    static func number(_ text: String) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt64(text)
    }

    private static func order(_ parameters: QueryParameters) throws(Problem) -> ScanRequest.Order {
        guard let text = try parameters.value("order") else { return .time }
        guard let order = ScanRequest.Order(rawValue: text) else {
            throw .badParameter("order", "it is time or arrival")
        }
        return order
    }

    private static func cursor(_ parameters: QueryParameters) throws(Problem) -> ScanCursor? {
        guard let text = try parameters.value("cursor") else { return nil }
        guard let cursor = ScanCursor(text: text) else {
            throw .badParameter("cursor", "it is not one that this server made")
        }
        return cursor
    }

    private static func follows(_ parameters: QueryParameters) throws(Problem) -> Bool {
        switch try parameters.value("follow") {
        case nil, "false", "0": return false
        case "true", "1": return true
        default: throw .badParameter("follow", "it is true or false")
        }
    }
}
