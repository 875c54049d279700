// Lines on their way in, in order of arrival, each ended by LF. The batch is cut into blocks as it
// grows; it remembers stretches of equal bucket rather than lines, because time has few values.

/// One owner at a time: whoever fills it, then the writer that it is handed to.
public final class LineBatch: @unchecked Sendable {
    /// A block is closed when the next line would take it past this; a longer line stands alone.
    public static let blockTarget = 1 << 20

    /// In one piece: each access to a class's property is tracked at run time, and a line takes many.
    @usableFromInline var content: Content

    public init(capacity: Int = 4096) { content = Content(capacity: max(capacity, 64)) }

    deinit { content.storage.deallocate() }

    public var byteCount: Int { content.byteCount }
    public var lineCount: Int { content.lineCount }
    /// Bytes of the longest line, with its LF.
    public var longestLine: Int { content.longestLine }
    /// Lines of one bucket that arrived one after another and lie in one block.
    var stretches: [Run] { content.stretches }
    /// Hashes of keys, one a line; none where the stream has no keys.
    var keys: [UInt64] { content.keys }
    public var isEmpty: Bool { lineCount == 0 }
    public var blockCount: Int { content.blockStarts.count }
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: content.storage, count: byteCount) }
    public var latest: Bucket { stretches.reduce(.earliest) { max($0, $1.bucket) } }
    public var earliest: Bucket { stretches.reduce(.latest) { min($0, $1.bucket) } }

    /// Appends one line that `write` puts at the pointer it is given, which has room for
    /// `maximumBytes`; `write` returns its bucket and its length. The LF is added here. If `write`
    /// throws, the batch is as before.
    @inlinable
    public func append<Failure: Error>(
        maximumBytes: Int, _ write: (UnsafeMutableRawPointer) throws(Failure) -> (bucket: Bucket, byteCount: Int)
    ) throws(Failure) {
        try content.append(maximumBytes: maximumBytes, write)
    }

    /// Appends a stored line, without its LF.
    public func append(_ line: UnsafeRawBufferPointer, bucket: Bucket) {
        content.append(line, bucket: bucket)
    }

    /// The same with the hash of its key. All lines of a batch have one, or none has.
    public func append(_ line: UnsafeRawBufferPointer, bucket: Bucket, key: UInt64) {
        precondition(keys.count == lineCount, "lines with and without keys")
        content.append(line, bucket: bucket)
        content.keys.append(key)
    }

    /// Appends every line of another batch.
    public func append(contentsOf other: LineBatch) {
        var from = 0
        content.longestLine = max(longestLine, other.longestLine)
        for stretch in other.stretches {
            content.append(stretch, UnsafeRawBufferPointer(rebasing: other.bytes[from..<from + stretch.bytes]))
            from += stretch.bytes
        }
        content.keys += other.keys
    }

    /// The stretches, bytes and keys of one of the blocks.
    func block(_ index: Int) -> (stretches: ArraySlice<Run>, bytes: UnsafeRawBufferPointer, keys: ArraySlice<UInt64>) {
        let starts = content.blockStarts
        let start = starts[index]
        let isLast = index + 1 == starts.count
        let end = isLast ? (stretch: stretches.count, byte: byteCount, line: lineCount) : starts[index + 1]
        return (
            stretches[start.stretch..<end.stretch],
            UnsafeRawBufferPointer(rebasing: bytes[start.byte..<end.byte]),
            keys.isEmpty ? [] : keys[start.line..<end.line]
        )
    }

    /// The lines whose bucket is at or after `horizon`, and how many are not.
    public func dropping(before horizon: Bucket) -> (kept: LineBatch, dropped: Int) {
        let kept = LineBatch(capacity: byteCount)
        var (from, line) = (0, 0)
        for stretch in stretches {
            if stretch.bucket >= horizon {
                UnsafeRawBufferPointer(rebasing: bytes[from..<from + stretch.bytes])
                    .forEachLine { kept.append($0, bucket: stretch.bucket) }
                if !keys.isEmpty { kept.content.keys += keys[line..<line + stretch.lines] }
            }
            from += stretch.bytes
            line += stretch.lines
        }
        return (kept, lineCount - kept.lineCount)
    }
}

extension LineBatch {
    @usableFromInline
    struct Content {
        fileprivate var storage: UnsafeMutableRawPointer
        private var capacity: Int
        fileprivate var byteCount = 0
        fileprivate var lineCount = 0
        fileprivate var longestLine = 0
        fileprivate var stretches: [Run] = []
        fileprivate var blockStarts: [(stretch: Int, byte: Int, line: Int)] = []
        fileprivate var keys: [UInt64] = []
        private var blockBytes = 0

        fileprivate init(capacity: Int) {
            self.capacity = capacity
            storage = .allocate(byteCount: capacity, alignment: 16)
        }

        @inlinable
        mutating func append<Failure: Error>(
            maximumBytes: Int,
            _ write: (UnsafeMutableRawPointer) throws(Failure) -> (bucket: Bucket, byteCount: Int)
        ) throws(Failure) {
            let place = reserve(maximumBytes + 1)
            let (bucket, count) = try write(place)
            place.storeBytes(of: 0x0A, toByteOffset: count, as: UInt8.self)
            commitLine(bucket: bucket, bytes: count + 1)
        }

        mutating func append(_ line: UnsafeRawBufferPointer, bucket: Bucket) {
            append(maximumBytes: line.count) { place in
                if let base = line.baseAddress { place.copyMemory(from: base, byteCount: line.count) }
                return (bucket, line.count)
            }
        }

        /// Appends the lines of a stretch.
        mutating func append(_ stretch: Run, _ lines: UnsafeRawBufferPointer) {
            if blockStarts.isEmpty || blockBytes + stretch.bytes > LineBatch.blockTarget {
                lines.forEachLine { append($0, bucket: stretch.bucket) }
            } else {
                UnsafeMutableRawBufferPointer(start: reserve(stretch.bytes), count: stretch.bytes)
                    .copyMemory(from: lines)
                grow(by: stretch)
            }
        }

        @usableFromInline
        mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
            if byteCount + count > capacity { enlarge(for: count) }
            return storage + byteCount
        }

        @usableFromInline
        mutating func commitLine(bucket: Bucket, bytes: Int) {
            if blockStarts.isEmpty || blockBytes + bytes > LineBatch.blockTarget {
                blockStarts.append((stretches.count, byteCount, lineCount))
                blockBytes = 0
            }
            longestLine = max(longestLine, bytes)
            grow(by: Run(bucket: bucket, lines: 1, bytes: bytes))
        }

        private mutating func grow(by stretch: Run) {
            let blockIsNew = blockStarts.last?.stretch == stretches.count
            if let last = stretches.indices.last, !blockIsNew, stretches[last].bucket == stretch.bucket {
                stretches[last].lines += stretch.lines
                stretches[last].bytes += stretch.bytes
            } else {
                stretches.append(stretch)
            }
            byteCount += stretch.bytes
            blockBytes += stretch.bytes
            lineCount += stretch.lines
        }

        private mutating func enlarge(for count: Int) {
            let larger = max(byteCount + count, capacity * 2)
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            fresh.copyMemory(from: storage, byteCount: byteCount)
            storage.deallocate()
            (storage, capacity) = (fresh, larger)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Calls `body` with each line, without its LF. Bytes behind the last LF are no line.
    @inlinable
    public func forEachLine<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        var start = 0
        while start < count, let end = firstLineFeed(from: start) {
            try body(UnsafeRawBufferPointer(rebasing: self[start..<end]))
            start = end + 1
        }
    }
}
