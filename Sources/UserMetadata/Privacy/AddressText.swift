import Glibc
import StrictJSON

/// Finds IP addresses in texts, and puts a word in their place (SPEC UM3).
enum AddressText {
    static let replacement = Array("[address]".utf8)

    /// The text without addresses: IPv4 in four decimal numbers, IPv6 in each of its forms, both with a port
    /// where one follows. A dotted number behind a slash and a name, as `Chrome/120.0.0.0`, is a version
    /// where `keepsVersions`.
    static func scrubbed(_ text: [UInt8], keepsVersions: Bool = false) -> [UInt8] {
        guard text.withUnsafeBytes(mayHoldAddress) else { return text }
        var (result, index, copied) = ([UInt8](), 0, 0)
        while index < text.count {
            guard isPart(text[index]) else {
                index += 1
                continue
            }
            let end = runEnd(text, from: index)
            let isBehindProduct = index > 1 && text[index - 1] == UInt8(ascii: "/") && isWord(text[index - 2])
            let isVersion = keepsVersions && isBehindProduct
            let hasNeighbour = index > 0 && isWord(text[index - 1]) || end < text.count && isWord(text[end])
            let run = trimmed(text, index..<end)
            if !hasNeighbour, let length = addressLength(text[run], isVersion: isVersion) {
                result += text[copied..<run.lowerBound] + replacement
                copied = zoneEnd(text, from: run.lowerBound + length)
                index = max(copied, end)
            } else {
                index = end
            }
        }
        return copied == 0 ? text : result + text[copied...]
    }

    /// An address is one run of its characters, with three dots or two colons at least.
    static func mayHoldAddress(_ text: UnsafeRawBufferPointer) -> Bool {
        var (dots, colons) = (0, 0)
        for byte in text {
            guard isPart(byte) else {
                (dots, colons) = (0, 0)
                continue
            }
            if byte == UInt8(ascii: ".") { dots += 1 }
            if byte == Ascii.colon { colons += 1 }
            if dots == 3 || colons == 2 { return true }
        }
        return false
    }

    /// Whether a text is one address and nothing else, whatever brackets, port or zone it has.
    static func isAddress(_ text: [UInt8]) -> Bool { withoutAddresses(text) == nil }

    /// `scrubbed`, or `nil` where that leaves nothing.
    static func withoutAddresses(_ text: [UInt8], keepsVersions: Bool = false) -> [UInt8]? {
        let rest = scrubbed(text, keepsVersions: keepsVersions)
        guard rest.count <= replacement.count + 2, rest.count != text.count || rest != text else { return rest }
        let isBare = rest == replacement
        return isBare || rest == [Ascii.openBracket] + replacement + [Ascii.closeBracket] ? nil : rest
    }

    /// The address that a client names, without brackets, port and zone; `nil` where it is none.
    static func address(_ text: [UInt8]) -> String? {
        var rest = text[...]
        if rest.first == Ascii.openBracket, let close = rest.firstIndex(of: Ascii.closeBracket) {
            rest = rest[(rest.startIndex + 1)..<close]
        }
        if let zone = rest.firstIndex(of: UInt8(ascii: "%")) { rest = rest[..<zone] }
        guard let length = addressLength(rest, isVersion: false) else { return nil }
        let host = rest.prefix(length)
        let port = host.count { $0 == Ascii.colon } == 1 ? host.firstIndex(of: Ascii.colon) : nil
        return String(decoding: host[..<(port ?? host.endIndex)], as: UTF8.self)
    }

    // MARK: - Runs

    private static func isPart(_ byte: UInt8) -> Bool {
        Ascii.isDigit(byte) || Ascii.lowered(byte) &- 0x61 < 6 || byte == UInt8(ascii: ".") || byte == Ascii.colon
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        Ascii.isDigit(byte) || Ascii.lowered(byte) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func runEnd(_ text: [UInt8], from start: Int) -> Int {
        var end = start
        while end < text.count, isPart(text[end]) { end += 1 }
        return end
    }

    /// Without the marks that end a sentence before or behind it.
    private static func trimmed(_ text: [UInt8], _ run: Range<Int>) -> Range<Int> {
        var (start, end) = (run.lowerBound, run.upperBound)
        while start < end, text[start] == UInt8(ascii: ".") || isLone(text, start, start + 1) { start += 1 }
        while end > start, text[end - 1] == UInt8(ascii: ".") || isLone(text, end - 1, end - 2) { end -= 1 }
        return start..<end
    }

    /// A colon that is not one of two, which an address may begin and end with.
    private static func isLone(_ text: [UInt8], _ index: Int, _ neighbour: Int) -> Bool {
        guard text[index] == Ascii.colon else { return false }
        return !text.indices.contains(neighbour) || text[neighbour] != Ascii.colon
    }

    private static func zoneEnd(_ text: [UInt8], from start: Int) -> Int {
        guard start < text.count, text[start] == UInt8(ascii: "%") else { return start }
        var end = start + 1
        while end < text.count, isWord(text[end]) || text[end] == Ascii.minus { end += 1 }
        return end
    }

    /// How long the address is that a run is, with its port; `nil` where it is none.
    private static func addressLength(_ run: ArraySlice<UInt8>, isVersion: Bool) -> Int? {
        guard (2...56).contains(run.count) else { return nil }
        let colons = run.count { $0 == Ascii.colon }
        if colons >= 2 { return parses(run, AF_INET6) ? run.count : nil }
        let host = run.prefix { $0 != Ascii.colon }
        let port = run[host.endIndex...].dropFirst()
        guard !isVersion, port.allSatisfy(Ascii.isDigit), parses(host, AF_INET) else { return nil }
        return run.count
    }

    private static func parses(_ run: ArraySlice<UInt8>, _ family: Int32) -> Bool {
        let dots = run.count { $0 == UInt8(ascii: ".") }
        guard family == AF_INET6 || dots == 3 else { return false }
        // Leading zeros, which inet_pton refuses, make no address less of one.
        let text = family == AF_INET ? withoutLeadingZeros(run) : Array(run)
        var storage = in6_addr()
        return (text.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
            inet_pton(family, $0.baseAddress, &storage) == 1
        }
    }

    private static func withoutLeadingZeros(_ run: ArraySlice<UInt8>) -> [UInt8] {
        let parts = run.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { part in
            part.isEmpty ? part : part.dropLast().drop { $0 == Ascii.zero } + part.suffix(1)
        }
        return Array(parts.joined(separator: [UInt8(ascii: ".")]))
    }
}
