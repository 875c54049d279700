import TestSupport
import Testing

@testable import WebAPI

@Suite("who is let in (AC5)")
struct AccessPolicyTests {
    private static let now: UInt64 = 1_000_000

    private static func hash(_ byte: UInt8) throws -> TokenHash {
        try #require(TokenHash(bytes: [UInt8](repeating: byte, count: 32)))
    }

    private static func tokens() throws -> [Token] {
        [
            Token(id: "00000001", name: "reader", hash: try hash(1), scopes: [.read]),
            Token(id: "00000002", name: "browser", hash: try hash(2), scopes: [.ingest], streams: ["interactions"]),
            Token(id: "00000003", name: "other", hash: try hash(3), scopes: [.read], streams: ["logins"]),
            Token(id: "00000004", name: "old", hash: try hash(4), scopes: [.read], expires: now),
            Token(id: "00000005", name: "young", hash: try hash(5), scopes: [.read], expires: now + 1),
            Token(id: "00000006", name: "operator", hash: try hash(6), scopes: [.admin]),
        ]
    }

    private static func policy(acl: Bool = false, tokens: Bool = false, forwarders: Bool = false) throws -> AccessPolicy
    {
        let entries = [
            AccessEntry(path: "/wsapi/interaction_data(/.*)?", commonName: "alice"),
            AccessEntry(path: "/wsapi/interaction_data/count", commonName: "bob"),
        ]
        let blocks = try [#require(AddressBlock("10.0.0.0/8")), #require(AddressBlock("::1"))]
        return AccessPolicy(
            rules: acl ? try AccessRules(entries) : nil, tokens: TokenBook(configured: tokens ? try Self.tokens() : []),
            forwarders: forwarders ? TrustedForwarders(header: "X-Remote-User", blocks: blocks) : nil,
            stream: "interactions", now: { now })
    }

    private static func outcome(
        _ policy: AccessPolicy, _ need: AccessNeed = .scope(.read), path: String = "/wsapi/interaction_data",
        token: UInt8? = nil, cn: String? = nil, user: [String] = [], from address: String = "10.1.1.1"
    ) throws -> String {
        let bearer = try token.map { Credentials.Bearer.token(try hash($0)) } ?? .none
        return text(
            policy.decide(
                need, try NormalPath(path),
                Credentials(bearer: bearer, identities: user, address: IPAddress(address), commonName: cn)))
    }

    private static func text(_ decision: AccessDecision) -> String {
        let who = decision.principal?.text ?? "nobody"
        return switch decision.outcome {
        case .granted(.publicPath): "\(who) public"
        case .granted(.noRules): "\(who) open"
        case .granted(.token(let token)): "\(who) by \(token.id)"
        case .granted(.entry(let index)): "\(who) by entry \(index)"
        case .granted(.name): "\(who) by name"
        case .refused(let refusal): "\(who) \(refusal.rawValue)"
        }
    }

    @Test("with neither acl nor tokens all are let in")
    func open() throws {
        let policy = try Self.policy(forwarders: true)
        #expect(policy.isOpen)
        #expect(try Self.outcome(policy) == "nobody open")
        #expect(try Self.outcome(policy, token: 99) == "nobody open")
        #expect(try Self.outcome(policy, cn: "alice") == "cn:alice open")
        #expect(try Self.outcome(policy, user: ["carol"]) == "user:carol open")
    }

    @Test("an acl lets in whom it names, and nobody else")
    func acl() throws {
        let policy = try Self.policy(acl: true)
        #expect(!policy.isOpen)
        #expect(try Self.outcome(policy, cn: "alice") == "cn:alice by entry 0")
        #expect(try Self.outcome(policy, cn: "bob") == "cn:bob not_allowed")
        #expect(try Self.outcome(policy, path: "/wsapi/interaction_data/count", cn: "bob") == "cn:bob by entry 1")
        #expect(try Self.outcome(policy, .scope(.ingest), cn: "alice") == "cn:alice by entry 0")
        #expect(try Self.outcome(policy, .anything, path: "/nothing", cn: "alice") == "cn:alice not_allowed")
        #expect(try Self.outcome(policy) == "nobody not_allowed")
        #expect(try Self.outcome(policy, token: 1) == "nobody not_allowed", "no token is in force")
        #expect(try Self.outcome(policy, cn: "") == "nobody not_allowed")
        #expect(try Self.outcome(policy, cn: "alice\n") == "nobody not_allowed")
        #expect(try Self.outcome(policy, cn: "alice\0.example.org") == "nobody not_allowed")
        #expect(try Self.outcome(policy, cn: String(repeating: "a", count: 257)) == "nobody not_allowed")
        #expect(try Self.outcome(policy, .nothing, path: "/livez") == "nobody public")
    }

    @Test("a token lets in for its scopes and streams, until it expires")
    func tokens() throws {
        let policy = try Self.policy(tokens: true)
        #expect(try Self.outcome(policy) == "nobody no_token")
        #expect(try Self.outcome(policy, token: 1) == "token:reader by 00000001")
        #expect(try Self.outcome(policy, .anything, path: "/nothing", token: 1) == "token:reader by 00000001")
        #expect(try Self.outcome(policy, .scope(.ingest), token: 1) == "token:reader missing_scope")
        #expect(try Self.outcome(policy, token: 2) == "token:browser missing_scope")
        #expect(try Self.outcome(policy, .scope(.ingest), token: 2) == "token:browser by 00000002")
        #expect(try Self.outcome(policy, token: 3) == "token:other other_stream")
        #expect(try Self.outcome(policy, .anything, token: 3) == "token:other other_stream")
        #expect(try Self.outcome(policy, token: 4) == "token:old expired_token")
        #expect(try Self.outcome(policy, token: 5) == "token:young by 00000005")
        #expect(try Self.outcome(policy, token: 6) == "token:operator missing_scope", "no scope holds another")
        #expect(try Self.outcome(policy, token: 99) == "nobody unknown_token")
        #expect(try Self.outcome(policy, .nothing, path: "/livez", token: 99) == "nobody public")
        #expect(try Self.outcome(policy, cn: "anybody") == "cn:anybody by name", "a certificate is enough")
        let malformed = Credentials(bearer: .malformed)
        #expect(Self.text(policy.decide(.anything, try NormalPath("/"), malformed)) == "nobody unknown_token")
    }

    @Test("token and name are each enough; one that is wrong is told")
    func both() throws {
        let policy = try Self.policy(acl: true, tokens: true)
        #expect(try Self.outcome(policy, token: 1, cn: "mallory") == "token:reader by 00000001")
        #expect(try Self.outcome(policy, token: 2, cn: "alice") == "cn:alice by entry 0")
        #expect(try Self.outcome(policy, token: 2, cn: "mallory") == "token:browser missing_scope")
        #expect(try Self.outcome(policy, token: 99, cn: "alice") == "cn:alice unknown_token")
        #expect(try Self.outcome(policy, token: 4, cn: "alice") == "token:old expired_token")
        #expect(try Self.outcome(policy, cn: "mallory") == "cn:mallory not_allowed")
        #expect(try Self.outcome(policy) == "nobody no_token")
    }

    @Test("who is trusted names the user, in place of his own certificate")
    func forwarders() throws {
        let policy = try Self.policy(acl: true, forwarders: true)
        #expect(try Self.outcome(policy, user: ["alice"]) == "user:alice by entry 0")
        #expect(try Self.outcome(policy, user: ["alice"], from: "::1") == "user:alice by entry 0")
        #expect(try Self.outcome(policy, user: ["alice"], from: "::ffff:10.0.0.1") == "user:alice by entry 0")
        #expect(try Self.outcome(policy, cn: "alice", user: ["mallory"]) == "user:mallory not_allowed")
        #expect(try Self.outcome(policy, cn: "alice") == "cn:alice by entry 0", "he asks for himself")
        #expect(try Self.outcome(policy, user: ["alice"], from: "11.0.0.1") == "nobody not_allowed")
        #expect(try Self.outcome(policy, cn: "alice", user: ["mallory"], from: "11.0.0.1") == "cn:alice by entry 0")
        #expect(try Self.outcome(policy, user: ["alice"], from: "") == "nobody not_allowed", "no address")
        for doubtful in [["alice", "alice"], [""], ["alice\r"], [String(repeating: "a", count: 257)]] {
            #expect(try Self.outcome(policy, cn: "alice", user: doubtful) == "nobody bad_identity")
        }
        let stranger = Credentials(identities: ["alice"], address: IPAddress("11.0.0.1"))
        #expect(policy.ignoresIdentity(stranger))
        #expect(!policy.ignoresIdentity(Credentials(address: IPAddress("11.0.0.1"))))
        #expect(!policy.ignoresIdentity(Credentials(identities: ["alice"], address: IPAddress("10.0.0.1"))))
        #expect(!(try Self.policy(acl: true)).ignoresIdentity(stranger))
    }

    @Test("tokens of the data directory come and go, and the last one leaves nobody in")
    func book() throws {
        var policy = try Self.policy()
        policy.tokens = TokenBook(configured: [])
        let book = policy.tokens
        #expect(policy.isOpen && book.isEmpty)
        book.replaceStored(nil)
        #expect(try Self.outcome(policy) == "nobody open")
        book.replaceStored(TokenList([try Self.tokens()[0]]))
        #expect(try Self.outcome(policy) == "nobody no_token")
        #expect(try Self.outcome(policy, token: 1) == "token:reader by 00000001")
        book.replaceStored(TokenList())
        #expect(book.isEmpty && book.isInForce)
        #expect(try Self.outcome(policy, token: 1) == "nobody unknown_token")
        #expect(try Self.outcome(policy) == "nobody no_token")
        book.replaceStored(nil)
        #expect(try Self.outcome(policy) == "nobody no_token")
    }

    @Test("where tokens are required nobody is let in before there is one")
    func required() throws {
        var policy = try Self.policy()
        policy.requiresTokens = true
        #expect(!policy.isOpen)
        #expect(try Self.outcome(policy) == "nobody no_token")
        #expect(try Self.outcome(policy, token: 1) == "nobody unknown_token")
        policy.tokens.replaceStored(TokenList([try Self.tokens()[0]]))
        #expect(try Self.outcome(policy, token: 1) == "token:reader by 00000001")
    }

    @Test("tokens of the configuration stay beside those of the data directory")
    func configured() throws {
        var policy = try Self.policy()
        policy.tokens = TokenBook(configured: [try Self.tokens()[0]])
        policy.tokens.replaceStored(TokenList([try Self.tokens()[4]]))
        #expect(try Self.outcome(policy, token: 1) == "token:reader by 00000001")
        #expect(try Self.outcome(policy, token: 5) == "token:young by 00000005")
        policy.tokens.replaceStored(TokenList())
        #expect(try Self.outcome(policy, token: 1) == "token:reader by 00000001")
    }
}
