import Glibc

extension JSONText {
    /// Unescapes in place the text of a string that is known to be valid, between its quotes; returns where it
    /// lies then.
    public static func unescape(_ bytes: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var (read, write) = (range.lowerBound, range.lowerBound)
        while read < range.upperBound {
            let plain = bytes.firstIndex(of: Ascii.backslash, from: read, through: range.upperBound)
            if write != read, let base = bytes.baseAddress { memmove(base + write, base + read, plain - read) }
            write += plain - read
            guard plain < range.upperBound else { break }
            let (scalar, length) = escaped(bytes, at: plain)
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                bytes[write] = byte
                write += 1
            }
            read = plain + length
        }
        return range.lowerBound..<write
    }

    private static func escaped(_ bytes: UnsafeMutableRawBufferPointer, at start: Int) -> (Unicode.Scalar, Int) {
        switch bytes[start + 1] {
        case UInt8(ascii: "b"): ("\u{8}", 2)
        case UInt8(ascii: "f"): ("\u{C}", 2)
        case UInt8(ascii: "n"): ("\n", 2)
        case UInt8(ascii: "r"): ("\r", 2)
        case UInt8(ascii: "t"): ("\t", 2)
        case UInt8(ascii: "u"): escapedUnits(bytes, at: start)
        case let byte: (Unicode.Scalar(byte), 2)
        }
    }

    private static func escapedUnits(
        _ bytes: UnsafeMutableRawBufferPointer, at start: Int
    ) -> (Unicode.Scalar, Int) {
        let unit = codeUnit(bytes, at: start + 2)
        guard 0xD800..<0xDC00 ~= unit else { return (Unicode.Scalar(unit) ?? "\u{FFFD}", 6) }
        let value = 0x1_0000 + (unit - 0xD800) << 10 + (codeUnit(bytes, at: start + 8) - 0xDC00)
        return (Unicode.Scalar(value) ?? "\u{FFFD}", 12)
    }

    private static func codeUnit(_ bytes: UnsafeMutableRawBufferPointer, at start: Int) -> UInt32 {
        bytes[start..<start + 4].reduce(0) { $0 << 4 | UInt32(Ascii.hexDigit($1) ?? 0) }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The first place of `byte` from `start` on, or the end.
    public func firstIndex(of byte: UInt8, from start: Int, through end: Int? = nil) -> Int {
        let end = end ?? count
        guard let baseAddress, let found = memchr(baseAddress + start, Int32(byte), end - start) else { return end }
        return UnsafeMutableRawPointer(found) - baseAddress
    }
}
