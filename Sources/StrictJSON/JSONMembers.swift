import Glibc

/// The place of a key between its quotes.
public struct KeyRange {
    public let range: Range<Int>
    public let isEscaped: Bool
}

extension JSONText {
    /// Whether these bytes stand at `index`.
    @inlinable @inline(__always)
    public func holds(_ text: StaticString, at index: Int) -> Bool {
        index &+ text.utf8CodeUnitCount <= count && memcmp(base + index, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Calls `body` with the key of each member of the object at `open` and where its value starts; it returns
    /// where the value ends. Returns the index behind the object.
    public mutating func forEachMember(
        of open: Int, _ body: (inout JSONText, KeyRange, Int) throws(EventFault) -> Int
    ) throws(EventFault) -> Int {
        var index = spaceEnd(from: open + 1)
        if byte(at: index) == Ascii.closeBrace { return index + 1 }
        while true {
            guard byte(at: index) == Ascii.quote else { throw fault(.syntax, at: index) }
            let key = try stringEnd(from: index + 1)
            let start = try memberValueStart(from: key.index)
            let range = KeyRange(range: index + 1..<key.index - 1, isEscaped: key.isEscaped)
            index = spaceEnd(from: try body(&self, range, start))
            if byte(at: index) == Ascii.closeBrace { return index + 1 }
            guard byte(at: index) == Ascii.comma else { throw fault(.syntax, at: index) }
            index = spaceEnd(from: index + 1)
        }
    }

    public func key(_ key: KeyRange, is name: StaticString) throws(EventFault) -> Bool {
        if key.isEscaped { return try spells(name, in: key.range) }
        return key.range.count == name.utf8CodeUnitCount && holds(name, at: key.range.lowerBound)
    }
}
