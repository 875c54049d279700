import HTTPTypes

/// What a policy says to a request, and why, for who has to understand it.
public struct AccessExplanation: Sendable {
    public enum Grounds: Equatable, Sendable {
        /// Anybody may ask for this path.
        case publicPath
        /// There is neither an `acl` nor a token.
        case noRules
        case token
        /// The entry of the `acl`, from 0.
        case entry(Int)
        /// There is no `acl`, and the request has a name.
        case name
    }

    public enum Verdict: Equatable, Sendable {
        case allowed(Grounds)
        /// As the answer would say it.
        case refused(status: Int, reason: String, detail: String)
    }

    /// As it is routed and matched; `nil` where it cannot be normalised.
    public let path: String?
    /// `ingest`, `read`, `admin`, `anything` or `nothing`; `nil` where there is no path.
    public let need: String?
    /// Who makes the request, as `audit` would name it.
    public let who: String?
    public let verdict: Verdict

    /// - Parameters:
    ///   - method: in capitals, as `GET`.
    ///   - target: a path, with or without a query.
    ///   - commonName: the name that the request has.
    ///   - token: as its holder has it.
    public init(
        of policy: AccessPolicy, role: Role, method: String, target: String, commonName: String?, token: String?
    ) {
        do throws(NormalPath.Fault) {
            let raw = target.prefix { $0 != "?" }
            let path = try NormalPath(raw.isEmpty && !target.isEmpty ? "/" : String(raw))
            let need = Self.need(method, path, role)
            let bearer = token.map { Credentials.Bearer.token(TokenHash(ofToken: $0)) } ?? .none
            let decision = policy.decide(need, path, Credentials(bearer: bearer, commonName: commonName))
            self.path = path.text
            self.need = Self.text(need)
            who = decision.principal?.text
            verdict = Self.verdict(decision, need)
        } catch {
            (path, need, who) = (nil, nil, nil)
            verdict = Self.refused(Problem(error))
        }
    }

    private static func need(_ method: String, _ path: NormalPath, _ role: Role) -> AccessNeed {
        guard let method = HTTPRequest.Method(method), let route = try? Route(method, path: path, role: role) else {
            return .anything
        }
        return route.need
    }

    private static func text(_ need: AccessNeed) -> String {
        switch need {
        case .nothing: "nothing"
        case .anything: "anything"
        case .scope(let scope): scope.rawValue
        }
    }

    private static func verdict(_ decision: AccessDecision, _ need: AccessNeed) -> Verdict {
        switch decision.outcome {
        case .granted(.publicPath): .allowed(.publicPath)
        case .granted(.noRules): .allowed(.noRules)
        case .granted(.token): .allowed(.token)
        case .granted(.entry(let index)): .allowed(.entry(index))
        case .granted(.name): .allowed(.name)
        case .refused(let refusal): refused(Problem(refusal, for: need))
        }
    }

    private static func refused(_ problem: Problem) -> Verdict {
        .refused(status: problem.status.code, reason: problem.reason, detail: problem.detail)
    }
}
