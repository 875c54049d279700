import LogEngine
import SegmentFormat
import Settings
import UserMetadata
import WebAPI

extension AccessPolicy {
    /// Who a listener lets in.
    init(_ listener: Listener, _ tokens: TokenBook) throws(AccessRuleFault) {
        self.init(
            rules: try listener.rules.map { rules throws(AccessRuleFault) in
                try AccessRules(rules.map { AccessEntry(path: $0.path, commonName: $0.commonName) })
            },
            tokens: tokens, forwarders: TrustedForwarders(listener),
            stream: (listener.role == .userMetadata ? StreamName.logins : .interactions).description,
            now: WallClock.now)
        requiresTokens = listener.tokens == .required
    }
}

extension TrustedForwarders {
    /// `nil` where nobody may name a user.
    fileprivate init?(_ listener: Listener) {
        guard let header = listener.identityHeader else { return nil }
        self.init(header: header, blocks: listener.trustedForwarders.compactMap { AddressBlock($0.description) })
    }
}

extension TokenBook {
    /// With the tokens of a configuration.
    convenience init(_ configuration: Configuration) {
        self.init(configured: configuration.tokens.compactMap { Token($0) })
    }
}

extension Token {
    /// `nil` where the hash is none, which the configuration has made sure of.
    fileprivate init?(_ entry: TokenEntry) {
        guard let hash = TokenHash(hexadecimal: entry.sha256) else { return nil }
        self.init(
            id: String(entry.sha256.prefix(8)), name: entry.name, hash: hash,
            scopes: Set(entry.scopes.compactMap { TokenScope(rawValue: $0.rawValue) }),
            streams: entry.streams.map { Set($0.map(\.rawValue)) })
    }
}
