import Glibc
import StrictJSON

/// Whether a text is an IP address, or a list of them (SPEC Z6): with a port, in brackets, with the length of a
/// prefix or with a zone, as software writes them.
enum AddressText {
    /// A longer text is none.
    static let longest = 256

    static func matches(_ text: [UInt8]) -> Bool {
        guard text.count <= longest, text.contains(where: { $0 == dot || $0 == Ascii.colon }) else { return false }
        let parts = text.split(separator: Ascii.comma, omittingEmptySubsequences: false)
        return parts.allSatisfy { isAddress(trimmed($0)) }
    }

    /// What a text begins with that may be one: spares most texts a closer look.
    static func mayBegin(with byte: UInt8) -> Bool {
        Ascii.hexDigit(byte) != nil || byte == Ascii.colon || byte == Ascii.openBracket || byte == Ascii.backslash
            || byte <= Ascii.space
    }

    private static let dot = UInt8(ascii: ".")

    private static func trimmed(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var part = part.drop { $0 <= Ascii.space }
        while let last = part.last, last <= Ascii.space { part.removeLast() }
        return part
    }

    private static func isAddress(_ text: ArraySlice<UInt8>) -> Bool {
        if text.first == Ascii.openBracket {
            guard let close = text.firstIndex(of: Ascii.closeBracket) else { return false }
            let rest = text[(close + 1)...]
            return isBare(text[(text.startIndex + 1)..<close], AF_INET6)
                && (rest.isEmpty || rest.first == Ascii.colon && isNumber(rest.dropFirst()))
        }
        let parts = text.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, parts.count == 1 || isNumber(parts[1]) else { return false }
        if isBare(address, AF_INET6) { return true }
        let pieces = address.split(separator: Ascii.colon, omittingEmptySubsequences: false)
        guard let host = pieces.first, pieces.count <= 2 else { return false }
        return isBare(host, AF_INET) && (pieces.count == 1 || isNumber(pieces[1]))
    }

    private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        (1...5).contains(text.count) && text.allSatisfy(Ascii.isDigit)
    }

    private static func isBare(_ text: ArraySlice<UInt8>, _ family: Int32) -> Bool {
        let zoneless = family == AF_INET6 ? text.prefix { $0 != UInt8(ascii: "%") } : text
        guard (2...45).contains(zoneless.count), !zoneless.contains(0) else { return false }
        var address = in6_addr()
        let characters = zoneless.map { CChar(bitPattern: $0) } + [0]
        return inet_pton(family, characters, &address) == 1
    }
}
