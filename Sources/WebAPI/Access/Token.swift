/// What a token allows. None of them holds another.
public enum TokenScope: String, CaseIterable, Sendable {
    /// Storing events.
    case ingest
    /// Reading, counting and following them.
    case read
    /// What shows or changes how the server does, as `/metrics`.
    case admin
}

/// A bearer token as it is kept: what it allows, and the hash by which it is known. The token itself is kept nowhere.
public struct Token: Equatable, Sendable {
    /// Characters of a name.
    static let longestName = 64

    /// 8 hex digits that name it for good.
    public var id: String
    /// Of who has it; what `audit` calls it.
    public var name: String
    public var hash: TokenHash
    public var scopes: Set<TokenScope>
    /// `nil`: all streams.
    public var streams: Set<String>?
    /// Milliseconds since 1970, floored.
    public var created: UInt64
    /// The first moment at which it is good no more; `nil`: it always is.
    public var expires: UInt64?

    public init(
        id: String, name: String, hash: TokenHash, scopes: Set<TokenScope>, streams: Set<String>? = nil,
        created: UInt64 = 0, expires: UInt64? = nil
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.streams = streams
        self.created = created
        self.expires = expires
    }

    /// 1–64 letters, digits and `.` `_` `-` `@`.
    public static func isName(_ text: String) -> Bool {
        (1...longestName).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "@"): true
                default: false
                }
            }
    }

    static func isID(_ text: String) -> Bool {
        text.utf8.count == 8 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    func isExpired(at now: UInt64) -> Bool { expires.map { now >= $0 } ?? false }
}
