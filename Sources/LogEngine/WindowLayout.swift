import SegmentFormat

/// Where the lines of a window go. Blocks come by their first sequence; in a bucket where their sequences
/// overlap, `finish` puts the lines in order. What a block lacks, because it is damaged, leaves a gap that it
/// closes.
struct WindowLayout {
    private struct Place {
        var run: Run
        var byte: Int
        var line: Int
        var bytesDone = 0
        var linesDone = 0
        var isInOrder = true
    }

    /// Runs of a block that lie one behind the other in the window as well.
    private struct Stretch {
        var source: Range<Int>
        var byte: Int
    }

    /// Stretches that are shorter on average are decoded in one go and copied: what is compressed in one
    /// piece, which a Zstandard frame is, would be decoded for each of them.
    private static let shortStretch = FormatBounds.lz4BlockBytes

    private let output: ScanOutput
    private let bytes: UnsafeMutableRawBufferPointer
    private var places: [Place] = []
    private var placeOfBucket: [UInt64: Int] = [:]
    private var sequences: [UInt64]

    init(_ window: WindowPlanner.Window, _ output: ScanOutput) {
        var (byte, line) = (0, 0)
        for run in window.buckets {
            placeOfBucket[run.bucket.milliseconds] = places.count
            places.append(Place(run: run, byte: byte, line: line))
            byte += run.bytes
            line += run.lines
        }
        self.output = output
        bytes = output.reserve(byte)
        sequences = Array(repeating: 0, count: line)
    }

    /// Places the lines of a block, which `decode` brings: it is called with ranges of the block's bytes, and
    /// the memory that they belong in. Refuses lines that are not what was planned (E2), which only a file that
    /// changes while it is read can bring about. What was refused leaves a gap.
    mutating func place(
        _ slice: BlockSlice, of meta: BlockMeta, at offset: UInt64,
        _ decode: (Range<Int>, UnsafeMutableRawBufferPointer) throws(FormatFault) -> Void
    ) throws(FormatFault) {
        let stretches = try stretches(of: slice, meta, at: offset)
        let areLong = stretches.count * Self.shortStretch <= slice.byteRange.count && meta.codec != .zstandard
        if areLong || stretches.count == 1 {
            for stretch in stretches { try decode(stretch.source, place(of: stretch)) }
        } else {
            let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: slice.byteRange.count, alignment: 16)
            defer { scratch.deallocate() }
            try decode(slice.byteRange, scratch)
            for stretch in stretches {
                let start = stretch.source.lowerBound - slice.byteRange.lowerBound
                place(of: stretch).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: scratch[start..<start + stretch.source.count]))
            }
        }
        count(slice, meta)
    }

    private func place(of stretch: Stretch) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: bytes[stretch.byte..<stretch.byte + stretch.source.count])
    }

    private func stretches(
        of slice: BlockSlice, _ meta: BlockMeta, at offset: UInt64
    ) throws(FormatFault) -> [Stretch] {
        var stretches: [Stretch] = []
        var source = slice.byteRange.lowerBound
        for run in meta.runs[slice.runs] {
            guard let index = placeOfBucket[run.bucket.milliseconds],
                places[index].bytesDone + run.bytes <= places[index].run.bytes,
                places[index].linesDone + run.lines <= places[index].run.lines
            else { throw FormatFault(.sealBlocks, at: offset) }
            let byte = places[index].byte + places[index].bytesDone
            let end = source + run.bytes
            if let last = stretches.last, last.byte + last.source.count == byte {
                stretches[stretches.count - 1].source = last.source.lowerBound..<end
            } else {
                stretches.append(Stretch(source: source..<end, byte: byte))
            }
            source = end
        }
        return stretches
    }

    private mutating func count(_ slice: BlockSlice, _ meta: BlockMeta) {
        let span = slice.span(meta)
        var line = 0
        for run in meta.runs[slice.runs] {
            guard let index = placeOfBucket[run.bucket.milliseconds] else { continue }
            let first = places[index].line + places[index].linesDone
            if places[index].linesDone > 0, sequences[first - 1] > span.sequence(line).value {
                places[index].isInOrder = false
            }
            for offset in 0..<run.lines { sequences[first + offset] = span.sequence(line + offset).value }
            places[index].bytesDone += run.bytes
            places[index].linesDone += run.lines
            line += run.lines
        }
    }

    /// Hands the lines over to the output.
    consuming func finish() {
        var (byte, line) = (0, 0)
        var runs: [Run] = []
        for done in places where done.linesDone > 0 {
            if !done.isInOrder { sort(done) }
            if byte < done.byte {
                memmove(byte, from: done.byte, count: done.bytesDone)
                for offset in 0..<done.linesDone { sequences[line + offset] = sequences[done.line + offset] }
            }
            runs.append(Run(bucket: done.run.bucket, lines: done.linesDone, bytes: done.bytesDone))
            byte += done.bytesDone
            line += done.linesDone
        }
        sequences.removeLast(sequences.count - line)
        output.grow(by: runs, .listed(sequences))
    }

    /// Puts the lines of a bucket in order of sequence.
    private mutating func sort(_ bucket: Place) {
        let bytes = UnsafeMutableRawBufferPointer(rebasing: self.bytes[bucket.byte..<bucket.byte + bucket.bytesDone])
        let copy = LineMemory.allocate(bytes.count)
        defer { LineMemory.deallocate(copy) }
        copy.copyMemory(from: UnsafeRawBufferPointer(bytes))
        let numbers = bucket.line..<bucket.line + bucket.linesDone
        var (start, end) = (0, 0)
        let lines = numbers.map { number in
            let lineFeed = UnsafeRawBufferPointer(copy).firstLineFeed(from: start) ?? start
            defer { start = lineFeed + 1 }
            return (sequence: sequences[number], bytes: start...lineFeed)
        }
        for (number, line) in zip(numbers, lines.sorted { $0.sequence < $1.sequence }) {
            let source = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(copy)[line.bytes])
            UnsafeMutableRawBufferPointer(rebasing: bytes[end..<end + source.count]).copyMemory(from: source)
            sequences[number] = line.sequence
            end += source.count
        }
    }

    private func memmove(_ to: Int, from: Int, count: Int) {
        guard let base = bytes.baseAddress else { return }
        (base + to).copyMemory(from: base + from, byteCount: count)
    }
}
