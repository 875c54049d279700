/// What a request needs to be let in for.
enum AccessNeed: Equatable, Sendable {
    /// Nothing: whether the server is well may be asked by anybody.
    case nothing
    /// To be let in for anything at all.
    case anything
    case scope(TokenScope)
}

/// Why a request is not let in; the `reason` of the answer.
enum AccessRefusal: String, CaseIterable, Sendable {
    case noToken = "no_token"
    case unknownToken = "unknown_token"
    case expiredToken = "expired_token"
    case missingScope = "missing_scope"
    case otherStream = "other_stream"
    case badIdentity = "bad_identity"
    case notAllowed = "not_allowed"
}

/// Whether a request is let in, and why.
struct AccessDecision: Equatable, Sendable {
    enum Grounds: Equatable, Sendable {
        /// The path is open to all.
        case publicPath
        /// Nothing is asked of anybody.
        case noRules
        case token(Token)
        /// The entry of the `acl`, from 0.
        case entry(Int)
        /// It has a name, and there is no `acl`.
        case name
    }

    enum Outcome: Equatable, Sendable {
        case granted(Grounds)
        case refused(AccessRefusal)
    }

    var principal: Principal?
    var outcome: Outcome

    var refusal: AccessRefusal? { if case .refused(let refusal) = outcome { refusal } else { nil } }

    static func granted(_ grounds: Grounds, _ principal: Principal?) -> AccessDecision {
        AccessDecision(principal: principal, outcome: .granted(grounds))
    }

    static func refused(_ refusal: AccessRefusal, _ principal: Principal?) -> AccessDecision {
        AccessDecision(principal: principal, outcome: .refused(refusal))
    }
}
