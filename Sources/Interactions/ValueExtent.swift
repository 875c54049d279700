import StrictJSON

/// Where a JSON value ends, found by strings and brackets alone, in as many windows as it spans.
struct ValueExtent {
    private var depth = 0
    private var isInString = false
    private var isAfterBackslash = false
    /// A number or a literal, which nothing closes.
    private(set) var isScalar = false

    /// The index behind the value; `nil` where the bytes end first.
    mutating func end(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = bytes.count
        var (index, depth) = (start, depth)
        defer { self.depth = depth }
        while index < count {
            if isInString {
                index = stringEnd(base, from: index, count)
                if depth == 0, !isInString { return index }
                continue
            }
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            index &+= 1
            switch byte {
            case Ascii.quote: isInString = true
            case Ascii.openBrace, Ascii.openBracket: depth &+= 1
            case Ascii.closeBrace, Ascii.closeBracket:
                if depth == 0 { return index - 1 }
                depth &-= 1
                if depth == 0 { return index }
            default:
                guard depth == 0 else { continue }
                if Self.endsScalar(byte) { return index - 1 }
                isScalar = true
            }
        }
        return nil
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case Ascii.comma, Ascii.colon, Ascii.space, Ascii.tab, Ascii.lineFeed, Ascii.carriageReturn: true
        default: false
        }
    }

    /// The index behind the closing quote, or `count`.
    @inline(__always)
    private mutating func stringEnd(_ base: UnsafeRawPointer, from start: Int, _ count: Int) -> Int {
        var index = start
        if isAfterBackslash, index < count {
            isAfterBackslash = false
            index &+= 1
        }
        while index < count {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            index &+= 1
            if byte == Ascii.quote {
                isInString = false
                return index
            }
            guard byte == Ascii.backslash else { continue }
            isAfterBackslash = index == count
            index &+= 1
        }
        return count
    }
}
