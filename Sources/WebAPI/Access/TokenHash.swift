/// The SHA-256 of a token. A token is 256 random bits, so nothing slower is needed to keep it from being guessed.
public struct TokenHash: Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// - Parameter bytes: 32 of them.
    init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// - Parameter hexadecimal: 64 digits in lower case, as `sha256sum` prints them.
    public init?(hexadecimal: String) {
        guard hexadecimal.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var half: UInt8?
        for byte in hexadecimal.utf8 {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            if let high = half { bytes.append(high << 4 | digit) }
            half = half == nil ? digit : nil
        }
        self.init(bytes: bytes)
    }

    public var hexadecimal: String {
        withUnsafeBytes(of: words) { bytes in
            bytes.map { byte in (byte < 0x10 ? "0" : "") + String(byte, radix: 16) }.joined()
        }
    }

    /// All ones where they are the same, else 0; takes as long whatever differs.
    func mask(ofEqual other: TokenHash) -> UInt64 {
        let difference =
            (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2)
            | (words.3 ^ other.words.3)
        return (difference | (0 &- difference)) >> 63 &- 1
    }
}

extension TokenHash: Equatable {
    public static func == (a: TokenHash, b: TokenHash) -> Bool { a.mask(ofEqual: b) != 0 }
}
