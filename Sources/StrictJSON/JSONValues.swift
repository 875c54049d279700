// What those need who take values out of a text, not only check it.

extension JSONText {
    /// Whether these bytes stand at `index`, the letters of A–Z in either case. `name` has none of A–Z.
    @inlinable
    public func holds(_ name: StaticString, inAnyCaseAt index: Int) -> Bool {
        if holds(name, at: index) { return true }
        guard index &+ name.utf8CodeUnitCount <= count else { return false }
        for position in 0..<name.utf8CodeUnitCount
        where Ascii.lowered(byte(at: index &+ position)) != name.utf8Start[position] { return false }
        return true
    }

    public func bytes(_ range: Range<Int>) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// The text of a valid string, between its quotes, without its escapes.
    public func unescaped(_ range: Range<Int>) -> [UInt8] {
        var bytes = bytes(range)
        let count = bytes.withUnsafeMutableBytes { Self.unescape($0, 0..<$0.count).count }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Calls `body` with where each element of the array at `open` starts; it returns where the element ends.
    /// `false` where there is no array.
    public mutating func forEachElement(
        of open: Int, _ body: (inout JSONText, Int) throws(EventFault) -> Int
    ) throws(EventFault) -> Bool {
        guard byte(at: open) == Ascii.openBracket else { return false }
        var index = spaceEnd(from: open + 1)
        if byte(at: index) == Ascii.closeBracket { return true }
        while true {
            index = spaceEnd(from: try body(&self, index))
            if byte(at: index) == Ascii.closeBracket { return true }
            guard byte(at: index) == Ascii.comma else { throw fault(.syntax, at: index) }
            index = spaceEnd(from: index + 1)
        }
    }
}
