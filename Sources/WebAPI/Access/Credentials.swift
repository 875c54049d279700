/// What a request shows of who makes it.
struct Credentials: Equatable, Sendable {
    enum Bearer: Equatable, Sendable {
        case none
        /// The scheme is Bearer, and what follows cannot be a token; or there is more than one.
        case malformed
        case token(TokenHash)
    }

    var bearer = Bearer.none
    /// The values of the header by which trusted forwarders name a user.
    var identities: [String] = []
    var address: IPAddress?
    var commonName: String?
}

/// Forwarders who are believed when they say whom they forward for.
public struct TrustedForwarders: Equatable, Sendable {
    /// In lower case.
    public let header: String
    public let blocks: [AddressBlock]

    /// - Parameters:
    ///   - header: the name of the field in which they name the user, as `X-Remote-User`.
    ///   - blocks: where they connect from. The field is nobody else's to set, and what others send in it is ignored.
    public init(header: String, blocks: [AddressBlock]) {
        self.header = header.lowercased()
        self.blocks = blocks
    }

    func contain(_ address: IPAddress?) -> Bool {
        guard let address else { return false }
        return blocks.contains { $0.contains(address) }
    }
}
