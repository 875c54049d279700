import Crypto
import SegmentFormat

/// A token as its holder has it. It is shown once and kept nowhere.
public struct TokenSecret: Sendable {
    /// `dbk_` and 256 random bits in 64 hex digits.
    public let text: String

    /// Bytes of a token. A longer one is nobody's.
    static let longest = 256

    public static func random() -> TokenSecret {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in generator.next() }
        return TokenSecret(text: "dbk_" + words.map(\.hex).joined())
    }

    public var hash: TokenHash { TokenHash(ofToken: text) }
}

extension TokenHash {
    public init(ofToken text: String) {
        guard let hash = TokenHash(bytes: Array(SHA256.hash(data: Array(text.utf8)))) else {
            preconditionFailure("a SHA-256 has 32 bytes")
        }
        self = hash
    }
}
