import HTTPTypes

extension Problem {
    init(_ fault: NormalPath.Fault) {
        self.init(.badRequest, "bad_path", "the path cannot be read safely: \(fault.rawValue)")
    }

    /// - Parameter need: what the request had to be let in for.
    init(_ refusal: AccessRefusal, for need: AccessNeed) {
        switch refusal {
        case .noToken:
            self.init(.unauthorized, refusal.rawValue, "a token is wanted here, as Authorization: Bearer")
            fields[.wwwAuthenticate] = Self.challenge
        case .unknownToken:
            self.init(.unauthorized, refusal.rawValue, "this token is not known, or was revoked")
            fields[.wwwAuthenticate] = Self.challenge + #", error="invalid_token""#
        case .expiredToken:
            self.init(.unauthorized, refusal.rawValue, "this token has expired")
            fields[.wwwAuthenticate] = Self.challenge + #", error="invalid_token""#
        case .missingScope:
            self.init(.forbidden, refusal.rawValue, "this token is for other things")
            fields[.wwwAuthenticate] = Self.challenge + #", error="insufficient_scope""# + Self.scope(need)
        case .otherStream:
            self.init(.forbidden, refusal.rawValue, "this token is for other streams")
            fields[.wwwAuthenticate] = Self.challenge + #", error="insufficient_scope""# + Self.scope(need)
        case .badIdentity:
            self.init(.badRequest, refusal.rawValue, "the forwarder names no user, or more than one")
        case .notAllowed:
            self.init(.forbidden, refusal.rawValue, "nothing lets you do this here")
        }
    }

    private static let challenge = #"Bearer realm="daybook""#

    private static func scope(_ need: AccessNeed) -> String {
        if case .scope(let scope) = need { #", scope="\#(scope.rawValue)""# } else { "" }
    }
}
