// Strict RFC 8259 over bytes that may be hostile. Every method takes the index where something must
// start and returns the index after it; indices travel by value, so that the hot loops keep them in
// registers. Past the last byte `byte(at:)` reads 0, which no rule of the grammar accepts outside a
// string: the end of the input needs no check of its own, it is a mismatch like any other.

/// One JSON text under inspection; borrows `count` bytes and never reads outside them.
public struct JSONText {
    /// Apart from its count, because a buffer pointer checks its base for nil at each byte.
    public let base: UnsafeRawPointer
    public let count: Int
    /// Whether a CR or LF was skipped between tokens.
    public fileprivate(set) var hasLineBreaks = false

    /// `nil` where there is not even an address.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        self.base = base
        self.count = bytes.count
    }

    @inlinable @inline(__always)
    public func byte(at index: Int) -> UInt8 {
        index < count ? base.load(fromByteOffset: index, as: UInt8.self) : 0
    }

    /// A fault where something else was expected.
    public func fault(_ reason: EventFault.Reason, at index: Int) -> EventFault {
        fault(reason, at: index, reading: index)
    }

    /// A fault of the token at `start`, met while reading at `index`; past the last byte it is always that
    /// the input ends too early.
    @inline(never)
    public func fault(_ reason: EventFault.Reason, at start: Int, reading index: Int) -> EventFault {
        index < count ? EventFault(reason, at: start) : EventFault(.unexpectedEnd, at: count)
    }
}

// MARK: - Space

extension JSONText {
    @inlinable @inline(__always)
    public mutating func spaceEnd(from start: Int) -> Int {
        if byte(at: start) > Ascii.space { return start }
        // As many writers have it.
        let isOneBlank = byte(at: start) == Ascii.space && byte(at: start &+ 1) > Ascii.space
        return isOneBlank ? start &+ 1 : longSpaceEnd(from: start)
    }

    @inline(never)
    @usableFromInline mutating func longSpaceEnd(from start: Int) -> Int {
        var index = start
        while index < count {
            switch byte(at: index) {
            case Ascii.space, Ascii.tab: break
            case Ascii.lineFeed, Ascii.carriageReturn: hasLineBreaks = true
            default: return index
            }
            index &+= 1
        }
        return index
    }
}

// MARK: - Values

extension JSONText {
    /// A value of the top object, at depth 2 if it is a container.
    @inlinable @inline(__always)
    public mutating func valueEnd(from start: Int) throws(EventFault) -> Int {
        let first = byte(at: start)
        if first == Ascii.openBracket || first == Ascii.openBrace { return try containerEnd(from: start) }
        return try scalarEnd(from: start)
    }

    /// A loop, not a recursion: a bit for each open container says whether it is an object, so that
    /// hostile nesting costs no stack.
    @inline(never)
    @usableFromInline mutating func containerEnd(from start: Int) throws(EventFault) -> Int {
        var index = start
        var depth = 1
        var kinds: UInt64 = 0
        while true {
            let first = byte(at: index)
            if first == Ascii.openBracket || first == Ascii.openBrace {
                depth &+= 1
                guard depth <= EventBounds.depth else { throw fault(.tooDeep, at: index) }
                kinds = kinds &<< 1 | (first == Ascii.openBrace ? 1 : 0)
                index = spaceEnd(from: index &+ 1)
                if byte(at: index) != Self.closer(kinds) {
                    index = try elementStart(from: index, kinds)
                    continue
                }
            } else {
                index = spaceEnd(from: try scalarEnd(from: index))
            }
            while byte(at: index) == Self.closer(kinds) {
                depth &-= 1
                kinds &>>= 1
                if depth == 1 { return index &+ 1 }
                index = spaceEnd(from: index &+ 1)
            }
            guard byte(at: index) == Ascii.comma else { throw fault(.syntax, at: index) }
            index = try elementStart(from: spaceEnd(from: index &+ 1), kinds)
        }
    }

    /// `]` and `}` differ by 0x20 alone.
    @inlinable @inline(__always)
    static func closer(_ kinds: UInt64) -> UInt8 {
        Ascii.closeBracket | UInt8(truncatingIfNeeded: (kinds & 1) &<< 5)
    }

    /// Where the next value starts: here in an array, after key and colon in an object.
    @inlinable @inline(__always)
    mutating func elementStart(from start: Int, _ kinds: UInt64) throws(EventFault) -> Int {
        guard kinds & 1 == 1 else { return start }
        guard byte(at: start) == Ascii.quote else { throw fault(.syntax, at: start) }
        return try memberValueStart(from: try stringEnd(from: start &+ 1).index)
    }

    /// Where the value starts whose key ends at `keyEnd`.
    @inlinable @inline(__always)
    public mutating func memberValueStart(from keyEnd: Int) throws(EventFault) -> Int {
        let colon = spaceEnd(from: keyEnd)
        guard byte(at: colon) == Ascii.colon else { throw fault(.syntax, at: colon) }
        return spaceEnd(from: colon &+ 1)
    }

    @inlinable @inline(__always)
    func scalarEnd(from start: Int) throws(EventFault) -> Int {
        switch byte(at: start) {
        case Ascii.quote: try stringEnd(from: start &+ 1).index
        case 0x30...0x39, Ascii.minus: try numberEnd(from: start)
        case UInt8(ascii: "t"): try literalEnd("true", from: start)
        case UInt8(ascii: "f"): try literalEnd("false", from: start)
        case UInt8(ascii: "n"): try literalEnd("null", from: start)
        default: throw fault(.syntax, at: start)
        }
    }

    @inlinable @inline(__always)
    func literalEnd(_ literal: StaticString, from start: Int) throws(EventFault) -> Int {
        for position in 0..<literal.utf8CodeUnitCount
        where byte(at: start &+ position) != literal.utf8Start[position] {
            throw fault(.syntax, at: start &+ position)
        }
        return start &+ literal.utf8CodeUnitCount
    }
}

// MARK: - Numbers

extension JSONText {
    @inlinable @inline(__always)
    func numberEnd(from start: Int) throws(EventFault) -> Int {
        let integer = byte(at: start) == Ascii.minus ? start &+ 1 : start
        let end = try digitsEnd(from: integer)
        if byte(at: integer) == Ascii.zero, end > integer &+ 1 { throw fault(.invalidNumber, at: integer &+ 1) }
        let next = byte(at: end)
        guard next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") else { return end }
        return try fractionEnd(from: end)
    }

    @inline(never)
    @usableFromInline func fractionEnd(from start: Int) throws(EventFault) -> Int {
        var end = start
        if byte(at: end) == UInt8(ascii: ".") { end = try digitsEnd(from: end &+ 1) }
        guard byte(at: end) | 0x20 == UInt8(ascii: "e") else { return end }
        let sign = byte(at: end &+ 1)
        let isSigned = sign == UInt8(ascii: "+") || sign == Ascii.minus
        return try digitsEnd(from: end &+ (isSigned ? 2 : 1))
    }

    /// At least one digit.
    @inlinable @inline(__always)
    func digitsEnd(from start: Int) throws(EventFault) -> Int {
        guard Ascii.isDigit(byte(at: start)) else { throw fault(.invalidNumber, at: start) }
        var index = start &+ 1
        while Ascii.isDigit(byte(at: index)) { index &+= 1 }
        return index
    }
}
