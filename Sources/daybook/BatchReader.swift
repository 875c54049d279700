import Glibc
import Interactions

/// Lines of the input that are stored together.
struct InputBatch: Sendable {
    /// 0 for the first.
    var number: Int
    /// Whole lines, the last perhaps without its LF.
    var bytes: [UInt8]
    /// Of the first line: its number in the input, and where it starts.
    var firstLine: Int
    var offset: Int
    var lines: Int
}

/// Cuts a file, or what comes through a pipe, into batches.
struct BatchReader {
    /// Bounds of a batch, below those of the store.
    static let lines = 10_000
    static let bytes = 8 << 20
    private static let readBytes = 1 << 20

    private let descriptor: Int32
    private let name: String
    private var pending: [UInt8] = []
    private var isAtEnd = false
    private var batches = 0
    private var line = 1
    private var offset = 0

    /// - Parameter path: `-` for standard input.
    init(_ path: String) throws {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure(.noInput, "\(path): \(String(cString: strerror(errno)))")
        }
    }

    func close() {
        if descriptor != STDIN_FILENO { _ = Glibc.close(descriptor) }
    }

    mutating func next() throws -> InputBatch? {
        var scanned = (lines: 0, bytes: 0)
        while true {
            scanned = Self.wholeLines(pending, after: scanned)
            if scanned.lines == Self.lines || scanned.bytes >= Self.bytes { break }
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
            while lines < Self.lines, end < Self.bytes, let lineFeed = bytes.firstLineFeed(from: end) {
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
            number: batches, bytes: Array(pending[..<part.bytes]), firstLine: line, offset: offset, lines: part.lines)
        pending.removeFirst(part.bytes)
        batches += 1
        line += part.lines
        offset += part.bytes
        return batch
    }

    private mutating func readMore() throws {
        let start = pending.count
        pending.append(contentsOf: repeatElement(0, count: Self.readBytes))
        let count = pending.withUnsafeMutableBytes { bytes in
            Glibc.read(descriptor, bytes.baseAddress.map { $0 + start }, Self.readBytes)
        }
        pending.removeLast(Self.readBytes - max(count, 0))
        if count == 0 { isAtEnd = true }
        guard count >= 0 || errno == EINTR else {
            throw CommandFailure(.inputOutput, "\(name): \(String(cString: strerror(errno)))")
        }
    }
}
