import HTTPTypes
import NIOCore

extension Credentials {
    init(_ fields: HTTPFields, _ peer: Peer, _ forwarders: TrustedForwarders?) {
        bearer = Self.bearer(fields[values: .authorization])
        if let name = forwarders.flatMap({ HTTPField.Name($0.header) }) {
            identities = fields[values: name]
            address = peer.address?.ipAddress.flatMap { IPAddress($0) }
        }
        commonName = peer.certificateCommonName
    }

    /// Other schemes than Bearer (RFC 6750) are somebody else's.
    private static func bearer(_ values: [String]) -> Bearer {
        let tokens = values.compactMap { value -> Substring? in
            let parts = value.split(separator: " ", maxSplits: 1)
            return parts.first?.lowercased() == "bearer" ? (parts.dropFirst().first ?? "").drop { $0 == " " } : nil
        }
        guard let token = tokens.first else { return .none }
        let isToken = (1...TokenSecret.longest).contains(token.utf8.count) && !token.contains(" ")
        return tokens.count == 1 && isToken ? .token(TokenHash(ofToken: String(token))) : .malformed
    }
}
