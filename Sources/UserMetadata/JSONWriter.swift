import SegmentFormat
import StrictJSON

/// Writes JSON byte by byte, in the order it is asked to: the same values give the same bytes.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    mutating func name(_ name: StaticString) {
        separate()
        bytes.append(Ascii.quote)
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(Ascii.quote)
        bytes.append(Ascii.colon)
        needsComma = false
    }

    /// A string of UTF-8; quote, backslash and control characters are escaped, nothing else is.
    mutating func string(_ text: [UInt8]) {
        separate()
        bytes.append(Ascii.quote)
        if text.contains(where: Self.isEscaped) {
            for byte in text { append(byte) }
        } else {
            bytes.append(contentsOf: text)
        }
        bytes.append(Ascii.quote)
        needsComma = true
    }

    /// A string in which nothing has to be escaped.
    mutating func plain(_ text: UnsafeRawBufferPointer) {
        separate()
        bytes.append(Ascii.quote)
        bytes.append(contentsOf: text)
        bytes.append(Ascii.quote)
        needsComma = true
    }

    mutating func string(_ text: String) { string(Array(text.utf8)) }

    mutating func strings(_ texts: [[UInt8]]) {
        open("[")
        for text in texts { string(text) }
        close("]")
    }

    @inline(__always)
    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == Ascii.quote || byte == Ascii.backslash
    }

    private mutating func append(_ byte: UInt8) {
        if byte < 0x20 { return escape(byte) }
        if Self.isEscaped(byte) { bytes.append(Ascii.backslash) }
        bytes.append(byte)
    }

    /// 128 bits as hexadecimal digits, the high half first.
    mutating func hash(_ hash: Hash128) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
            for index in 0..<32 {
                let half = index < 16 ? hash.high : hash.low
                digits[index] = Self.hexDigit(UInt8(truncatingIfNeeded: half >> UInt64(60 - index % 16 * 4)) & 15)
            }
            plain(UnsafeRawBufferPointer(digits))
        }
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(Self.hexDigit(byte >> 4))
        bytes.append(Self.hexDigit(byte & 15))
    }

    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? Ascii.zero + value : 0x57 + value }

    mutating func integer(_ value: UInt64) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    mutating func flag(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
        needsComma = true
    }

    mutating func time(_ milliseconds: UInt64) {
        separate()
        bytes.append(Ascii.quote)
        RFC3339.append(milliseconds, to: &bytes)
        bytes.append(Ascii.quote)
        needsComma = true
    }

    /// Takes back what was written behind a member or an element.
    mutating func cut(to count: Int) {
        bytes.removeLast(bytes.count - count)
        needsComma = true
    }

    /// JSON that was written before.
    mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    mutating func optionalString(_ name: StaticString, _ text: [UInt8]?) {
        guard let text else { return }
        self.name(name)
        string(text)
    }

    private mutating func separate() {
        if needsComma { bytes.append(Ascii.comma) }
        needsComma = false
    }
}
