/// The parameters of a URL's query, decoded, in their order.
struct QueryParameters {
    private let pairs: [(name: String, value: String, raw: Substring)]

    init(_ query: String?) {
        pairs = (query ?? "").split(separator: "&").map { raw in
            let parts = raw.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "", raw)
        }
    }

    func has(_ name: String, _ value: String) -> Bool { pairs.contains { $0.name == name && $0.value == value } }

    /// The value of a parameter that may come once; `nil` where it is absent. What comes with the value
    /// `other` does not count.
    func value(_ name: String, besides other: String? = nil) throws(Problem) -> String? {
        let found = pairs.filter { $0.name == name && $0.value != other }
        guard found.count <= 1 else { throw .badParameter(name, "it may come only once") }
        return found.first?.value
    }

    /// The query with the parameter `name` taken out and put at the end with a new value, which needs
    /// no escaping. Safe between angle brackets.
    func replacing(_ name: String, with value: String) -> String {
        let kept = pairs.filter { $0.name != name }.map { pair in
            pair.raw.reduce(into: "") { $0 += $1 == "<" ? "%3C" : $1 == ">" ? "%3E" : String($1) }
        }
        return (kept + ["\(name)=\(value)"]).joined(separator: "&")
    }

    /// Percent escapes and `+` decoded; a broken escape stands for itself.
    private static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = escaped(rest.prefix(2)) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func escaped(_ digits: Substring.UTF8View.SubSequence) -> UInt8? {
        let text = Substring(digits)
        guard text.count == 2, text.allSatisfy(\.isHexDigit) else { return nil }
        return UInt8(text, radix: 16)
    }
}
