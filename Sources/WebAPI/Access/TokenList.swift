/// Tokens, and the file that keeps them: a line that says what it is, then a line each.
public struct TokenList: Equatable, Sendable {
    /// Tokens of a list. A further one is refused.
    public static let most = 1_000
    /// Bytes of a file. A longer one is refused.
    static let mostBytes = 1 << 20

    private static let title = "daybook tokens 1"

    public private(set) var all: [Token]

    public init(_ tokens: [Token] = []) { all = tokens }

    /// What is wrong with a file of tokens.
    public struct Fault: Error, Equatable, Sendable {
        /// From 1.
        public let line: Int
        public let reason: String
    }

    // MARK: - Changes

    public enum Refusal: Error, Equatable, Sendable {
        case nameTaken
        case full
    }

    public mutating func add(_ token: Token) throws(Refusal) {
        guard all.count < Self.most else { throw .full }
        guard !all.contains(where: { $0.name == token.name || $0.id == token.id }) else { throw .nameTaken }
        all.append(token)
    }

    /// - Parameter name: of the token, or its id.
    /// - Returns: the token, or `nil` where there is none.
    public mutating func remove(_ name: String) -> Token? {
        guard let index = all.firstIndex(where: { $0.id == name }) ?? all.firstIndex(where: { $0.name == name })
        else { return nil }
        return all.remove(at: index)
    }

    /// The token of a hash. All are looked at, so that the time tells nothing of any.
    func token(of hash: TokenHash) -> Token? {
        var found = UInt64.max
        for (index, token) in all.enumerated() {
            let mask = token.hash.mask(ofEqual: hash)
            found = (found & ~mask) | (UInt64(index) & mask)
        }
        return found == .max ? nil : all[Int(found)]
    }

    // MARK: - File

    public var text: String {
        ([Self.title] + all.map(Self.line)).map { $0 + "\n" }.joined()
    }

    private static func line(_ token: Token) -> String {
        let scopes = TokenScope.allCases.filter(token.scopes.contains).map(\.rawValue).joined(separator: ",")
        let streams = token.streams.map { $0.sorted().joined(separator: ",") } ?? "*"
        let expires = token.expires.map(String.init) ?? "never"
        return [token.id, token.hash.hexadecimal, scopes, streams, String(token.created), expires, token.name]
            .joined(separator: " ")
    }

    public init(text: String) throws(Fault) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "" else { throw Fault(line: lines.count + 1, reason: "the last line has no end") }
        guard lines.first == Self.title[...] else {
            throw Fault(line: 1, reason: "this is not a file of tokens of this version")
        }
        all = []
        for (index, line) in lines.enumerated().dropFirst() {
            guard let token = Self.token(line) else { throw Fault(line: index + 1, reason: "this is no token") }
            do throws(Refusal) {
                try add(token)
            } catch {
                let reason = error == .full ? "there are more than \(Self.most)" : "its name or id comes twice"
                throw Fault(line: index + 1, reason: reason)
            }
        }
    }

    private static func token(_ line: Substring) -> Token? {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 7, Token.isID(parts[0]), let hash = TokenHash(hexadecimal: parts[1]),
            let scopes = scopes(parts[2]), !parts[3].isEmpty, let created = UInt64(parts[4]), Token.isName(parts[6])
        else { return nil }
        let expires = UInt64(parts[5])
        guard expires != nil || parts[5] == "never" else { return nil }
        let streams = parts[3] == "*" ? nil : Set(parts[3].split(separator: ",").map(String.init))
        return Token(
            id: parts[0], name: parts[6], hash: hash, scopes: scopes, streams: streams, created: created,
            expires: expires)
    }

    private static func scopes(_ text: String) -> Set<TokenScope>? {
        let names = text.split(separator: ",", omittingEmptySubsequences: false)
        let scopes = names.compactMap { TokenScope(rawValue: String($0)) }
        return scopes.count == names.count ? Set(scopes) : nil
    }
}
