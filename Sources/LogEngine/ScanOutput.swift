import SegmentFormat

// What a scan has gathered and not yet handed out: lines, and beside them, in stretches rather than
// line by line, their buckets and sequences.

/// The sequences of some lines that lie one behind the other.
enum SequenceSpan {
    case consecutive(from: UInt64, count: Int)
    case listed([UInt64])

    var count: Int {
        switch self {
        case .consecutive(_, let count): count
        case .listed(let all): all.count
        }
    }

    func sequence(_ index: Int) -> Sequence {
        switch self {
        case .consecutive(let first, _): Sequence(first + UInt64(index))
        case .listed(let all): Sequence(all[index])
        }
    }
}

final class ScanOutput {
    /// Where the lines are: `own` memory, or what was borrowed.
    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var own = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var isInBorrowed = false
    private(set) var byteCount = 0
    private(set) var lineCount = 0
    private(set) var runs: [Run] = []
    private(set) var spans: [SequenceSpan] = []
    /// Bytes and lines at the front that were cut off.
    private var skippedBytes = 0
    private var skippedLines = 0

    deinit { LineMemory.deallocate(own) }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[skippedBytes..<byteCount])
    }
    var lines: Int { lineCount - skippedLines }
    /// Lines were dropped from the front; their memory is free again once it is cleared.
    var hasDropped: Bool { skippedLines > 0 }

    /// Forgets everything and what was borrowed, but keeps its own memory: a scan that gathered one window will
    /// gather more.
    func clear() {
        (buffer, isInBorrowed) = (own, false)
        (byteCount, lineCount, skippedBytes, skippedLines) = (0, 0, 0, 0)
        runs.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
    }

    /// The next lines go into `place` as long as they fit there. The output was cleared.
    func borrow(_ place: UnsafeMutableRawBufferPointer) {
        precondition(byteCount == 0)
        guard place.count > 0 else { return }
        (buffer, isInBorrowed) = (place, true)
    }

    /// Room for `count` more bytes; they count once `grow` says what they are.
    func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if byteCount + count > buffer.count { enlarge(for: count) }
        return UnsafeMutableRawBufferPointer(rebasing: buffer[byteCount..<byteCount + count])
    }

    private func enlarge(for count: Int) {
        let lines = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<byteCount])
        let needed = byteCount + count
        if own.count >= needed {
            own.copyMemory(from: lines)
        } else {
            // Given back first where nothing in it is wanted.
            if isInBorrowed || lines.isEmpty { freeOwn() }
            let step = Bounds.scanChunk + LineBatch.blockTarget
            let larger = LineMemory.allocate((needed + step - 1) / step * step)
            larger.copyMemory(from: lines)
            freeOwn()
            own = larger
        }
        (buffer, isInBorrowed) = (own, false)
    }

    private func freeOwn() {
        LineMemory.deallocate(own)
        own = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// The reserved bytes are now these runs.
    func grow(by more: some Swift.Sequence<Run>, _ span: SequenceSpan) {
        for run in more {
            runs.append(run)
            byteCount += run.bytes
            lineCount += run.lines
        }
        spans.append(span)
    }

    /// Keeps at most `count` lines; whether there were more.
    func truncate(toLines count: Int) -> Bool {
        guard lines > count else { return false }
        byteCount = skippedBytes + byteLength(ofLines: count)
        lineCount = skippedLines + count
        return true
    }

    /// Drops `count` lines from the front.
    func dropFirst(lines count: Int) {
        skippedBytes += byteLength(ofLines: count)
        skippedLines += count
    }

    /// How many lines at the front end within `count` bytes; at least one, all where they are no more.
    func lines(within count: Int) -> Int {
        guard bytes.count > count else { return lines }
        return max(1, UnsafeRawBufferPointer(rebasing: bytes[..<count]).lineFeeds)
    }

    func byteLength(ofLines count: Int) -> Int {
        var (end, left) = (0, count)
        let all = bytes
        while left > 0, let lineFeed = all.firstLineFeed(from: end) {
            end = lineFeed + 1
            left -= 1
        }
        return end
    }

    /// Lines at the front that are not behind `position`.
    func lines(through position: ScanPosition, order: ScanRequest.Order) -> Int {
        var low = 0
        var high = lines
        while low < high {
            let middle = (low + high) / 2
            if self.position(ofLine: middle, order: order) <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The place of a line that is still there, counted from the front.
    func position(ofLine index: Int, order: ScanRequest.Order) -> ScanPosition {
        let line = skippedLines + index
        return ScanPosition(bucket: order == .time ? bucket(ofLine: line) : .earliest, sequence: sequence(ofLine: line))
    }

    private func bucket(ofLine line: Int) -> Bucket {
        var before = 0
        for run in runs {
            before += run.lines
            if line < before { return run.bucket }
        }
        preconditionFailure("line \(line) of \(lineCount)")
    }

    private func sequence(ofLine line: Int) -> Sequence {
        var before = 0
        for span in spans {
            if line < before + span.count { return span.sequence(line - before) }
            before += span.count
        }
        preconditionFailure("line \(line) of \(lineCount)")
    }

    /// Of all lines, where nothing was cut off the front.
    var sequences: [Sequence] {
        spans.flatMap { span in (0..<span.count).map { span.sequence($0) } }
    }

    /// Of the lines that are still there.
    var keptSequences: [Sequence] {
        var kept: [Sequence] = []
        kept.reserveCapacity(lines)
        var line = 0
        for span in spans {
            let end = min(max(lineCount - line, 0), span.count)
            let range = min(max(skippedLines - line, 0), end)..<end
            for index in range { kept.append(span.sequence(index)) }
            line += span.count
        }
        return kept
    }

    func forEachLine<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, Sequence) throws(Failure) -> Void
    ) throws(Failure) {
        let all = bytes
        var (start, line) = (0, 0)
        for span in spans {
            for index in 0..<span.count where line + index >= skippedLines && line + index < lineCount {
                guard let end = all.firstLineFeed(from: start) else { return }
                try body(UnsafeRawBufferPointer(rebasing: all[start..<end]), span.sequence(index))
                start = end + 1
            }
            line += span.count
        }
    }
}

/// Lines that a scan hands out; valid until the scan's next step.
public struct ScanChunk {
    let output: ScanOutput

    /// Whole lines, each ended by LF.
    public var bytes: UnsafeRawBufferPointer { output.bytes }
    public var lines: Int { output.lines }
    /// The lines are in the memory that the caller gave.
    public var isInPlace: Bool { output.isInBorrowed }

    /// Of each line.
    public var sequences: [Sequence] { output.keptSequences }

    /// Calls `body` with each line, without its LF, and its sequence.
    public func forEachLine<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, Sequence) throws(Failure) -> Void
    ) throws(Failure) {
        try output.forEachLine(body)
    }
}
