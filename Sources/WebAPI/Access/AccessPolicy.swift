/// Who may do what on a listener (SPEC §20).
///
/// A request is let in by its token, or by the name of who makes it: that of the client certificate, or the one that
/// a trusted forwarder vouches for. Either is enough. Where there is neither an `acl` nor a token, all are let in.
public struct AccessPolicy: Sendable {
    /// The `acl`; `nil` where there is none.
    public var rules: AccessRules?
    public var tokens: TokenBook
    /// Tokens are in force though there is none yet.
    public var requiresTokens = false
    public var forwarders: TrustedForwarders?
    /// The stream that is served, which a token may have to name.
    public var stream: String
    /// Milliseconds since 1970.
    public var now: @Sendable () -> UInt64

    public init(
        rules: AccessRules? = nil, tokens: TokenBook = TokenBook(), forwarders: TrustedForwarders? = nil,
        stream: String, now: @escaping @Sendable () -> UInt64
    ) {
        self.rules = rules
        self.tokens = tokens
        self.forwarders = forwarders
        self.stream = stream
        self.now = now
    }

    /// Nothing is asked of anybody.
    var isOpen: Bool { rules == nil && !asksTokens }

    private var asksTokens: Bool { requiresTokens || tokens.isInForce }

    func decide(_ need: AccessNeed, _ path: NormalPath, _ credentials: Credentials) -> AccessDecision {
        if need == .nothing { return .granted(.publicPath, nil) }
        guard case .known(let named) = identity(credentials) else { return .refused(.badIdentity, nil) }
        if isOpen { return .granted(.noRules, named) }
        var token: Token?
        if asksTokens {
            switch credentials.bearer {
            case .none: break
            case .malformed: return .refused(.unknownToken, named)
            case .token(let hash):
                token = tokens.token(of: hash)
                guard let token else { return .refused(.unknownToken, named) }
                let holder = Principal.token(token.name)
                if token.isExpired(at: now()) { return .refused(.expiredToken, holder) }
                if shortcoming(of: token, for: need) == nil { return .granted(.token(token), holder) }
            }
        }
        if let named, let grounds = grounds(for: named, path) { return .granted(grounds, named) }
        if let token, let refusal = shortcoming(of: token, for: need) { return .refused(refusal, .token(token.name)) }
        return .refused(named == nil && asksTokens ? .noToken : .notAllowed, named)
    }

    private func shortcoming(of token: Token, for need: AccessNeed) -> AccessRefusal? {
        if let streams = token.streams, !streams.contains(stream) { return .otherStream }
        if case .scope(let scope) = need, !token.scopes.contains(scope) { return .missingScope }
        return nil
    }

    private func grounds(for principal: Principal, _ path: NormalPath) -> AccessDecision.Grounds? {
        guard let rules else { return .name }
        return principal.name.flatMap { rules.entry(for: path, name: $0) }.map { .entry($0) }
    }

    // MARK: - Names

    private enum Identity {
        case known(Principal?)
        /// A trusted forwarder names a user more than once, or as nobody is called.
        case doubtful
    }

    /// A user whom a trusted forwarder names takes the place of the forwarder's own certificate.
    private func identity(_ credentials: Credentials) -> Identity {
        if let forwarders, forwarders.contain(credentials.address), !credentials.identities.isEmpty {
            guard credentials.identities.count == 1, Self.isName(credentials.identities[0]) else { return .doubtful }
            return .known(.user(credentials.identities[0]))
        }
        guard let name = credentials.commonName, Self.isName(name) else { return .known(nil) }
        return .known(.certificate(name))
    }

    /// 1–256 bytes without control characters.
    private static func isName(_ text: String) -> Bool {
        (1...AccessRules.longestName).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    /// Whether somebody who is not trusted names a user.
    func ignoresIdentity(_ credentials: Credentials) -> Bool {
        guard let forwarders, !credentials.identities.isEmpty else { return false }
        return !forwarders.contain(credentials.address)
    }
}
