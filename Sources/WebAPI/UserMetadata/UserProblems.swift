import HTTPTypes
import LogEngine
import UserMetadata

// What the calls of user metadata refuse in words of their own. Clients send again what is 429 or 5xx, and nothing
// else: so what is wrong with a request is 400, and a server that has too much to do is 429.

extension Problem {
    /// - Parameter events: that were refused with it, where that is known.
    init(_ fault: BodyFault, events: Int?) {
        self.init(.badRequest, fault.token, "\(fault); nothing of this body was stored")
        if !fault.field.isEmpty { extras.append(("field", .text(fault.field))) }
        extras.append(("offset", .number(fault.offset)))
        if let entry = fault.entry { extras.append(("entry", .number(entry))) }
        self.events = events
    }

    init(ofUsers error: StoreError) {
        self = error.code == .busy ? .tooManyInFlight : Problem(error)
    }

    static func wrongMediaType(_ allowed: String) -> Problem {
        Problem(.badRequest, "wrong_media_type", "this path takes \(allowed)").closingConnection()
    }
}
