import Glibc

extension UnsafeRawBufferPointer {
    /// The index of the first LF at or behind `index`.
    public func firstLineFeed(from index: Int) -> Int? {
        guard let base = baseAddress, index < count else { return nil }
        guard let found = memchr(base + index, 0x0A, count - index) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// How many LFs there are.
    public var lineFeeds: Int {
        var (total, from) = (0, 0)
        while let found = firstLineFeed(from: from) {
            total += 1
            from = found + 1
        }
        return total
    }

    /// Lines, the last of which need not end.
    public var lineCount: Int { lineFeeds + (isEmpty || last == 0x0A ? 0 : 1) }
}
