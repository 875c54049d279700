// Lines on their way in, in order of arrival, each ended by LF. The batch is cut into blocks as it
// grows; it remembers stretches of equal bucket rather than lines, because time has few values.

/// One owner at a time: whoever fills it, then the writer that it is handed to.
public final class LineBatch: @unchecked Sendable {
    /// A block is closed when the next line would take it past this; a longer line stands alone.
    public static let blockTarget = 1 << 20

    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    public private(set) var byteCount = 0
    public private(set) var lineCount = 0
    /// Bytes of the longest line, with its LF.
    public private(set) var longestLine = 0
    /// Lines of one bucket that arrived one after another and lie in one block.
    private(set) var stretches: [Run] = []
    private var blockStarts: [(stretch: Int, byte: Int)] = []
    private var blockBytes = 0

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        storage = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { storage.deallocate() }

    public var isEmpty: Bool { lineCount == 0 }
    public var blockCount: Int { blockStarts.count }
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: byteCount) }
    public var latest: Bucket { stretches.reduce(.earliest) { max($0, $1.bucket) } }
    public var earliest: Bucket { stretches.reduce(.latest) { min($0, $1.bucket) } }

    /// Appends one line that `write` puts at the pointer it is given, which has room for
    /// `maximumBytes`; `write` returns its bucket and its length. The LF is added here. If `write`
    /// throws, the batch is as before.
    @inlinable
    public func append<Failure: Error>(
        maximumBytes: Int, _ write: (UnsafeMutableRawPointer) throws(Failure) -> (bucket: Bucket, byteCount: Int)
    ) throws(Failure) {
        let place = reserve(maximumBytes + 1)
        let (bucket, count) = try write(place)
        place.storeBytes(of: 0x0A, toByteOffset: count, as: UInt8.self)
        commitLine(bucket: bucket, bytes: count + 1)
    }

    /// Appends a stored line, without its LF.
    public func append(_ line: UnsafeRawBufferPointer, bucket: Bucket) {
        append(maximumBytes: line.count) { place in
            if let base = line.baseAddress { place.copyMemory(from: base, byteCount: line.count) }
            return (bucket, line.count)
        }
    }

    /// Appends every line of another batch.
    public func append(contentsOf other: LineBatch) {
        var from = 0
        longestLine = max(longestLine, other.longestLine)
        for stretch in other.stretches {
            let source = UnsafeRawBufferPointer(rebasing: other.bytes[from..<from + stretch.bytes])
            if blockStarts.isEmpty || blockBytes + stretch.bytes > Self.blockTarget {
                source.forEachLine { append($0, bucket: stretch.bucket) }
            } else {
                UnsafeMutableRawBufferPointer(start: reserve(stretch.bytes), count: stretch.bytes)
                    .copyMemory(from: source)
                grow(by: stretch)
            }
            from += stretch.bytes
        }
    }

    @usableFromInline
    func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if byteCount + count > capacity { enlarge(for: count) }
        return storage + byteCount
    }

    @usableFromInline
    func commitLine(bucket: Bucket, bytes: Int) {
        if blockStarts.isEmpty || blockBytes + bytes > Self.blockTarget {
            blockStarts.append((stretches.count, byteCount))
            blockBytes = 0
        }
        longestLine = max(longestLine, bytes)
        grow(by: Run(bucket: bucket, lines: 1, bytes: bytes))
    }

    private func grow(by stretch: Run) {
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

    private func enlarge(for count: Int) {
        let larger = max(byteCount + count, capacity * 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        fresh.copyMemory(from: storage, byteCount: byteCount)
        storage.deallocate()
        (storage, capacity) = (fresh, larger)
    }

    /// The stretches and bytes of one of the blocks.
    func block(_ index: Int) -> (stretches: ArraySlice<Run>, bytes: UnsafeRawBufferPointer) {
        let start = blockStarts[index]
        let isLast = index + 1 == blockStarts.count
        let end = isLast ? (stretch: stretches.count, byte: byteCount) : blockStarts[index + 1]
        return (
            stretches[start.stretch..<end.stretch],
            UnsafeRawBufferPointer(rebasing: bytes[start.byte..<end.byte])
        )
    }

    /// The lines whose bucket is at or after `horizon`, and how many are not.
    public func dropping(before horizon: Bucket) -> (kept: LineBatch, dropped: Int) {
        let kept = LineBatch(capacity: byteCount)
        var from = 0
        for stretch in stretches {
            if stretch.bucket >= horizon {
                UnsafeRawBufferPointer(rebasing: bytes[from..<from + stretch.bytes])
                    .forEachLine { kept.append($0, bucket: stretch.bucket) }
            }
            from += stretch.bytes
        }
        return (kept, lineCount - kept.lineCount)
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
