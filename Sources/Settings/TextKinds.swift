extension Kind<String> {
    /// Of listeners and tokens.
    static let name = Kind(
        "a name of 1 to 64 letters, digits, '-', '_' and '.'", show: { $0 },
        read: { text in
            let isName = (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { isWord($0) || $0 == 0x2E }
            return isName ? text : nil
        })

    static let word = Kind("a text", show: { $0 }, read: { $0 })

    /// The name of a header field (RFC 9110).
    static let fieldName = Kind(
        "the name of a header field", show: { $0 },
        read: { text in
            let others = "!#$%&'*+.^`|~".utf8
            let isName = !text.isEmpty && text.utf8.allSatisfy { isWord($0) || others.contains($0) }
            return isName ? text : nil
        })

    static let sha256 = Kind(
        "a SHA-256, in 64 hexadecimal digits", isSecret: true, show: { $0 },
        read: { text in text.utf8.count == 64 && text.utf8.allSatisfy(isHexadecimal) ? text.lowercased() : nil })

    /// A path. One that begins with `$CREDENTIALS_DIRECTORY/` is in that directory.
    static func path(credentials: String?) -> Self {
        let variable = "$CREDENTIALS_DIRECTORY/"
        return Kind(
            allowed: "a path",
            read: { (text) throws(Refusal) in
                guard !text.isEmpty, !text.utf8.contains(0) else { throw Refusal() }
                guard text.hasPrefix(variable) else { return text }
                guard let credentials else {
                    throw Refusal(reason: "needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit's credentials")
                }
                return "\(credentials)/\(text.dropFirst(variable.count))"
            }, show: { $0 })
    }

    /// - Parameter fault: why a text is no pattern.
    static func pattern(_ fault: @escaping @Sendable (String) -> String?) -> Self {
        Kind(
            allowed: "a regular expression",
            read: { (text) throws(Refusal) in
                if let fault = fault(text) { throw Refusal(reason: "is no regular expression: \(fault)") }
                return text
            }, show: { $0 })
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F || byte == 0x2D
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }
}

extension Kind<Secret> {
    static let key = Kind(
        "64 to 256 hexadecimal digits, as `openssl rand -hex 32` makes them", isSecret: true, show: { _ in "" },
        read: { Secret(hexadecimal: $0) })
}

extension Kind<Address> {
    static let address = Kind(
        "an address, such as 127.0.0.1:8080 or [::1]:8080", show: { $0.description }, read: { Address($0) })
}

extension Kind<Network> {
    static let network = Kind(
        "an address or a network, such as 10.1.2.3, 10.0.0.0/8 or fd00::/8", show: { $0.description },
        read: { Network($0) })
}
