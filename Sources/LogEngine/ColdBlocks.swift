import SegmentFormat

/// The lines of a cold block in the making, in order of time.
struct ColdLines {
    private(set) var bytes: [UInt8] = []
    private(set) var runs: [Run] = []
    private(set) var sequences: [Sequence] = []

    var isEmpty: Bool { sequences.isEmpty }

    mutating func append(_ lines: UnsafeRawBufferPointer, bucket: Bucket, sequences more: ArraySlice<Sequence>) {
        if let last = runs.indices.last, runs[last].bucket == bucket {
            runs[last].lines += more.count
            runs[last].bytes += lines.count
        } else {
            runs.append(Run(bucket: bucket, lines: more.count, bytes: lines.count))
        }
        bytes.append(contentsOf: lines)
        sequences.append(contentsOf: more)
    }

    /// `keys`: hashes of the keys of the lines, each once.
    func encoded(_ encoder: ZstdEncoder, keys: [UInt64] = []) -> ColdBlock {
        bytes.withUnsafeBytes { ColdBlock($0, runs: runs, sequences: sequences, keys: keys, encoder: encoder) }
    }

    /// Without the sequence of each line.
    func encoded(_ encoder: ZstdEncoder, within sequences: ClosedRange<Sequence>, keys: [UInt64]) -> ColdBlock {
        bytes.withUnsafeBytes { ColdBlock($0, runs: runs, within: sequences, keys: keys, encoder: encoder) }
    }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        sequences.removeAll(keepingCapacity: true)
    }
}

/// Cuts the lines of a scan in order of time into blocks, each of one UTC day.
struct ColdBlockCutter {
    private let blockBytes: Int
    private var lines = ColdLines()
    private var day: UInt32 = 0

    init(blockBytes: Int) { self.blockBytes = blockBytes }

    /// Adds the lines of a chunk, or those that are kept, and calls `body` with each block that they fill.
    mutating func add(
        _ output: ScanOutput, keeping keeps: ((UnsafeRawBufferPointer, Bucket) -> Bool)? = nil,
        _ body: (ColdLines, UInt32) throws(StoreError) -> Void
    ) throws(StoreError) {
        let sequences = output.sequences
        let bytes = output.bytes
        var (byte, line) = (0, 0)
        for run in output.runs {
            let ofRun = UnsafeRawBufferPointer(rebasing: bytes[byte..<byte + run.bytes])
            let ofLines = sequences[line..<line + run.lines]
            if let keeps {
                try addKept(ofRun, run.bucket, ofLines, keeps, body)
            } else {
                try add(ofRun, run.bucket, ofLines, body)
            }
            byte += run.bytes
            line += run.lines
        }
    }

    private mutating func addKept(
        _ run: UnsafeRawBufferPointer, _ bucket: Bucket, _ sequences: ArraySlice<Sequence>,
        _ keeps: (UnsafeRawBufferPointer, Bucket) -> Bool, _ body: (ColdLines, UInt32) throws(StoreError) -> Void
    ) throws(StoreError) {
        var start = 0
        for index in sequences.indices {
            guard let end = run.firstLineFeed(from: start) else { return }
            if keeps(UnsafeRawBufferPointer(rebasing: run[start..<end]), bucket) {
                let line = UnsafeRawBufferPointer(rebasing: run[start...end])
                try add(line, bucket, sequences[index...index], body)
            }
            start = end + 1
        }
    }

    /// Hands out what is left.
    mutating func finish(_ body: (ColdLines, UInt32) throws(StoreError) -> Void) throws(StoreError) {
        guard !lines.isEmpty else { return }
        try body(lines, day)
        lines.clear()
    }

    /// The same for lines of one bucket.
    mutating func add(
        _ run: UnsafeRawBufferPointer, _ bucket: Bucket, _ sequences: ArraySlice<Sequence>,
        _ body: (ColdLines, UInt32) throws(StoreError) -> Void
    ) throws(StoreError) {
        let runDay = bucket.segmentDay
        if runDay != day { try finish(body) }
        day = runDay
        var (byte, line) = (0, sequences.startIndex)
        while line < sequences.endIndex {
            let (end, next) = fitting(run, from: byte, line, sequences.endIndex)
            if next > line {
                let part = UnsafeRawBufferPointer(rebasing: run[byte..<end])
                lines.append(part, bucket: bucket, sequences: sequences[line..<next])
            }
            (byte, line) = (end, next)
            if line < sequences.endIndex { try finish(body) }
        }
    }

    /// How far the lines from `byte` on fit into the block; a line that is longer than a block fits an
    /// empty one.
    private func fitting(
        _ run: UnsafeRawBufferPointer, from byte: Int, _ line: Int, _ endLine: Int
    ) -> (byte: Int, line: Int) {
        let room = blockBytes - lines.bytes.count
        if run.count - byte <= room { return (run.count, endLine) }
        var (end, next) = (byte, line)
        while next < endLine, let lineFeed = run.firstLineFeed(from: end) {
            let isFirst = next == line && lines.isEmpty
            guard isFirst || lineFeed + 1 - byte <= room else { break }
            end = lineFeed + 1
            next += 1
        }
        return (end, next)
    }
}

extension Bucket {
    /// The day of a cold segment; of those that no `UInt32` holds, the last.
    var segmentDay: UInt32 { UInt32(clamping: min(day, Int(UInt32.max) - 1)) }
}
