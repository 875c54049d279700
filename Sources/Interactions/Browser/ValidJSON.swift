import StrictJSON

/// A JSON text that is known to be valid: what is where in it. Nothing is checked, so nothing can fail.
struct ValidJSON {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// A member of an object; ranges without the space around them.
    struct Member {
        /// Between the quotes.
        let name: Range<Int>
        let value: Range<Int>
    }

    func spaceEnd(from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] <= Ascii.space { index += 1 }
        return index
    }

    /// Behind the closing quote of the string that opens at `open`.
    func stringEnd(at open: Int) -> Int {
        var index = open + 1
        while bytes[index] != Ascii.quote { index += bytes[index] == Ascii.backslash ? 2 : 1 }
        return index + 1
    }

    /// Behind the value that starts at `start`.
    func valueEnd(from start: Int) -> Int {
        switch bytes[start] {
        case Ascii.quote: stringEnd(at: start)
        case Ascii.openBrace, Ascii.openBracket: containerEnd(from: start)
        default: scalarEnd(from: start)
        }
    }

    private func containerEnd(from start: Int) -> Int {
        var (index, depth) = (start, 0)
        repeat {
            switch bytes[index] {
            case Ascii.quote:
                index = stringEnd(at: index)
                continue
            case Ascii.openBrace, Ascii.openBracket: depth += 1
            case Ascii.closeBrace, Ascii.closeBracket: depth -= 1
            default: break
            }
            index += 1
        } while depth > 0
        return index
    }

    private func scalarEnd(from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case 0...Ascii.space, Ascii.comma, Ascii.closeBrace, Ascii.closeBracket: return index
            default: index += 1
            }
        }
        return index
    }

    /// The members of the object that opens at `open`, in order.
    func members(of open: Int) -> [Member] {
        var members: [Member] = []
        forEachMember(of: open) { members.append($0) }
        return members
    }

    func forEachMember(of open: Int, _ body: (Member) -> Void) {
        var index = spaceEnd(from: open + 1)
        while bytes[index] != Ascii.closeBrace {
            let nameEnd = stringEnd(at: index)
            let start = spaceEnd(from: spaceEnd(from: nameEnd) + 1)
            let end = valueEnd(from: start)
            body(Member(name: (index..<nameEnd).withoutEnds, value: start..<end))
            index = spaceEnd(from: end)
            if bytes[index] == Ascii.comma { index = spaceEnd(from: index + 1) }
        }
    }

    /// The elements of the array that opens at `open`, in order.
    func forEachElement(of open: Int, _ body: (Range<Int>) -> Void) {
        var index = spaceEnd(from: open + 1)
        while bytes[index] != Ascii.closeBracket {
            let end = valueEnd(from: index)
            body(index..<end)
            index = spaceEnd(from: end)
            if bytes[index] == Ascii.comma { index = spaceEnd(from: index + 1) }
        }
    }

    // MARK: - Text

    private func isEscaped(_ text: Range<Int>) -> Bool {
        for index in text where bytes[index] == Ascii.backslash { return true }
        return false
    }

    /// Whether a string's text stands for `other`.
    func isText(_ text: Range<Int>, _ other: String) -> Bool {
        guard isEscaped(text) else { return text.count == other.utf8.count && bytes[text].elementsEqual(other.utf8) }
        return unescaped(text, atMost: other.utf8.count)?.elementsEqual(other.utf8) ?? false
    }

    /// How many bytes a string's text stands for; `nil` where they are more than `most`.
    func unescapedCount(_ text: Range<Int>, atMost most: Int) -> Int? {
        guard isEscaped(text) else { return text.count <= most ? text.count : nil }
        return unescaped(text, atMost: most)?.count
    }

    /// What a string's text stands for; `nil` where that is longer than `most` bytes.
    func unescaped(_ text: Range<Int>, atMost most: Int) -> [UInt8]? {
        guard isEscaped(text) else { return text.count <= most ? Array(bytes[text]) : nil }
        var result: [UInt8] = []
        var index = text.lowerBound
        while index < text.upperBound {
            guard result.count <= most else { return nil }
            guard bytes[index] == Ascii.backslash else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard bytes[index + 1] == UInt8(ascii: "u") else {
                result.append(Self.shortEscape(bytes[index + 1]))
                index += 2
                continue
            }
            let unit = codeUnit(at: index + 2)
            // One half of a pair is no letter of any name, number or address: it only has to count.
            result.append(contentsOf: Unicode.Scalar(unit).map { Array(String($0).utf8) } ?? [0xEF, 0xBF, 0xBD])
            index += 6
        }
        return result.count <= most ? result : nil
    }

    private func codeUnit(at start: Int) -> UInt16 {
        bytes[start..<start + 4].reduce(0) { $0 << 4 | (Ascii.hexDigit($1) ?? 0) }
    }

    private static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): Ascii.lineFeed
        case UInt8(ascii: "r"): Ascii.carriageReturn
        case UInt8(ascii: "t"): Ascii.tab
        default: byte
        }
    }
}

extension Range<Int> {
    /// Of a string: what is between its quotes.
    var withoutEnds: Range<Int> { lowerBound + 1..<upperBound - 1 }
}
