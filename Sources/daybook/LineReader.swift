import Interactions

/// Takes in NDJSON.
struct LineReader: BatchReader {
    let input: InputFile
    private var pending: [UInt8] = []
    private var isAtEnd = false
    private var batches = 0
    private var line = 1
    private var offset = 0

    init(_ input: InputFile) { self.input = input }

    mutating func next() throws -> InputBatch? {
        var scanned = (lines: 0, bytes: 0)
        while true {
            scanned = Self.wholeLines(pending, after: scanned)
            if scanned.lines == BatchBounds.lines || scanned.bytes >= BatchBounds.bytes { break }
            if pending.count - scanned.bytes > EventScanner.maximumByteCount { return try overlong(after: scanned) }
            if isAtEnd {
                scanned = (scanned.lines + (scanned.bytes < pending.count ? 1 : 0), pending.count)
                break
            }
            try readMore()
        }
        return scanned.bytes > 0 ? take(scanned) : nil
    }

    /// The lines at the front that make a batch, or as many of them as are there yet.
    private static func wholeLines(_ bytes: [UInt8], after start: (lines: Int, bytes: Int)) -> (lines: Int, bytes: Int)
    {
        bytes.withUnsafeBytes { bytes in
            var (lines, end) = start
            while lines < BatchBounds.lines, end < BatchBounds.bytes, let lineFeed = bytes.firstLineFeed(from: end) {
                lines += 1
                end = lineFeed + 1
            }
            return (lines, end)
        }
    }

    /// A line longer than an event may be ends its batch. It is cut to one byte more than that, so
    /// that it is refused for what it is, and the rest of it is not kept.
    private mutating func overlong(after scanned: (lines: Int, bytes: Int)) throws -> InputBatch {
        let kept = scanned.bytes + EventScanner.maximumByteCount + 1
        var batch = take((scanned.lines, kept))
        batch.lines += 1
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                skip(end + 1)
                break
            }
            skip(pending.count)
            guard !isAtEnd else { break }
            try readMore()
        }
        line += 1
        return batch
    }

    private mutating func skip(_ count: Int) {
        pending.removeFirst(count)
        offset += count
    }

    private mutating func take(_ part: (lines: Int, bytes: Int)) -> InputBatch {
        let batch = InputBatch(
            number: batches, bytes: Array(pending[..<part.bytes]), lines: part.lines,
            origin: .lines(first: line, offset: offset))
        pending.removeFirst(part.bytes)
        batches += 1
        line += part.lines
        offset += part.bytes
        return batch
    }

    private mutating func readMore() throws {
        if try !input.read(onto: &pending) { isAtEnd = true }
    }
}
