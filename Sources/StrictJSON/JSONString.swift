// Strings: eight bytes at a time where they are plain, one at a time where they are not. The plain
// bytes are those from 0x20 to 0x7F without quote and backslash.

extension JSONText {
    /// The end of a string whose opening quote lies before `start`, closing quote included.
    @inlinable @inline(__always)
    public func stringEnd(from start: Int) throws(EventFault) -> (index: Int, isEscaped: Bool) {
        var index = start
        var isEscaped = false
        while true {
            index = plainEnd(from: index)
            let byte = byte(at: index)
            if byte == Ascii.quote { return (index &+ 1, isEscaped) }
            if byte == Ascii.backslash {
                isEscaped = true
                index = try escapeEnd(from: index)
            } else if byte >= 0x80 {
                index = try multibyteEnd(from: index)
            } else {
                throw fault(.controlCharacter, at: index)
            }
        }
    }

    @inlinable @inline(__always)
    func plainEnd(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let marks = Self.marks(in: word)
            if marks != 0 { return index &+ marks.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count, Self.isPlain(byte(at: index)) { index &+= 1 }
        return index
    }

    @inlinable @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != Ascii.quote && byte != Ascii.backslash
    }

    /// The top bit of each byte that is not plain. A borrow may mark plain bytes too, but only above
    /// the lowest mark, and the lowest is all that is used.
    @inlinable @inline(__always)
    static func marks(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(Ascii.quote))
        let backslashes = word ^ (ones &* UInt64(Ascii.backslash))
        let low = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- (ones &* 0x20)) & ~word
        return (low | word) & (ones &* 0x80)
    }
}

// MARK: - Escapes

extension JSONText {
    @inline(never)
    @usableFromInline func escapeEnd(from start: Int) throws(EventFault) -> Int {
        switch byte(at: start &+ 1) {
        case Ascii.quote, Ascii.backslash, UInt8(ascii: "/"): return start &+ 2
        case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start &+ 2
        case UInt8(ascii: "u"): return try unicodeEscapeEnd(from: start)
        default: throw fault(.invalidEscape, at: start, reading: start &+ 1)
        }
    }

    /// One escape, or two where the first is the high half of a surrogate pair.
    @usableFromInline func unicodeEscapeEnd(from start: Int) throws(EventFault) -> Int {
        let unit = try codeUnit(ofEscapeAt: start)
        let next = start &+ 6
        guard 0xD800...0xDFFF ~= unit else { return next }
        guard unit < 0xDC00 else { throw fault(.loneSurrogate, at: start) }
        guard byte(at: next) == Ascii.backslash else { throw fault(.loneSurrogate, at: start, reading: next) }
        guard byte(at: next &+ 1) == UInt8(ascii: "u") else {
            throw fault(.loneSurrogate, at: start, reading: next &+ 1)
        }
        guard 0xDC00...0xDFFF ~= (try codeUnit(ofEscapeAt: next)) else { throw fault(.loneSurrogate, at: start) }
        return next &+ 6
    }

    @usableFromInline func codeUnit(ofEscapeAt start: Int) throws(EventFault) -> UInt16 {
        var unit: UInt16 = 0
        for index in start &+ 2..<start &+ 6 {
            guard let digit = Ascii.hexDigit(byte(at: index)) else {
                throw fault(.invalidEscape, at: start, reading: index)
            }
            unit = unit &<< 4 | digit
        }
        return unit
    }

    /// Whether the text of a valid string, between its quotes, spells `name` once unescaped. `name` holds
    /// letters and underscores only, which nothing but `\u` can escape.
    @inline(never)
    public func spells(_ name: StaticString, in range: Range<Int>) throws(EventFault) -> Bool {
        var index = range.lowerBound
        for position in 0..<name.utf8CodeUnitCount {
            guard index < range.upperBound else { return false }
            let isEscape = byte(at: index) == Ascii.backslash
            if isEscape, byte(at: index &+ 1) != UInt8(ascii: "u") { return false }
            let character = isEscape ? try codeUnit(ofEscapeAt: index) : UInt16(byte(at: index))
            guard character == UInt16(name.utf8Start[position]) else { return false }
            index &+= isEscape ? 6 : 1
        }
        return index == range.upperBound
    }
}

// MARK: - UTF-8

extension JSONText {
    /// A stretch of characters outside ASCII, as RFC 3629 allows them: no overlong forms, no surrogates,
    /// nothing above U+10FFFF.
    @inline(never)
    @usableFromInline func multibyteEnd(from start: Int) throws(EventFault) -> Int {
        var index = start
        while byte(at: index) >= 0x80 {
            guard let length = multibyteLength(at: index) else { throw fault(.invalidUTF8, at: index) }
            index &+= length
        }
        return index
    }

    @usableFromInline func multibyteLength(at index: Int) -> Int? {
        let second = byte(at: index &+ 1)
        let length: Int
        let allowed: ClosedRange<UInt8>
        switch byte(at: index) {
        case 0xC2...0xDF: (length, allowed) = (2, 0x80...0xBF)
        case 0xE0: (length, allowed) = (3, 0xA0...0xBF)
        case 0xED: (length, allowed) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, allowed) = (3, 0x80...0xBF)
        case 0xF0: (length, allowed) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, allowed) = (4, 0x80...0xBF)
        case 0xF4: (length, allowed) = (4, 0x80...0x8F)
        default: return nil
        }
        guard allowed ~= second else { return nil }
        for position in 2..<max(length, 2) where byte(at: index &+ position) & 0xC0 != 0x80 { return nil }
        return length
    }
}
