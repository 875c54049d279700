/// Who a request comes from, as far as that is known for sure.
enum Principal: Hashable, Sendable {
    /// The name of a token.
    case token(String)
    /// The CommonName of a client certificate.
    case certificate(String)
    /// Who a trusted forwarder vouches for.
    case user(String)

    /// As `audit` and `acl test` name it.
    var text: String {
        switch self {
        case .token(let name): "token:\(name)"
        case .certificate(let name): "cn:\(name)"
        case .user(let name): "user:\(name)"
        }
    }

    /// What the `cn` of an `acl` is compared with; a token has none.
    var name: String? {
        switch self {
        case .token: nil
        case .certificate(let name), .user(let name): name
        }
    }
}
