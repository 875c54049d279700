import SegmentFormat

/// The runs of a block that lie in a range of buckets: consecutive, because a block is ordered.
struct BlockSlice {
    let runs: Range<Int>
    let lineRange: Range<Int>
    let byteRange: Range<Int>
    var lines: Int { lineRange.count }

    init(_ meta: BlockMeta, _ buckets: ClosedRange<Bucket>) {
        var (line, byte) = (0, 0)
        var first: (run: Int, line: Int, byte: Int)?
        var end = (run: 0, line: 0, byte: 0)
        for (index, run) in meta.runs.enumerated() where run.bucket <= buckets.upperBound {
            if run.bucket >= buckets.lowerBound {
                first = first ?? (index, line, byte)
                end = (index + 1, line + run.lines, byte + run.bytes)
            }
            line += run.lines
            byte += run.bytes
        }
        let start = first ?? end
        runs = start.run..<end.run
        lineRange = start.line..<end.line
        byteRange = start.byte..<end.byte
    }

    /// The sequences of the lines.
    func span(_ meta: BlockMeta) -> SequenceSpan {
        switch meta.arrangement {
        case .arrival, .perBlock:
            .consecutive(from: meta.firstSequence.value + UInt64(lineRange.lowerBound), count: lines)
        case .perLine(let offsets):
            .listed(offsets[lineRange].map { meta.firstSequence.value + $0 })
        }
    }

    private typealias Line = (sequence: UInt64, bucket: Bucket, bytes: UnsafeRawBufferPointer)

    /// Appends `bytes`, the lines of this slice, by sequence.
    func appendInOrderOfArrival(_ bytes: UnsafeRawBufferPointer, of meta: BlockMeta, to output: ScanOutput) {
        let span = span(meta)
        var lines: [Line] = []
        lines.reserveCapacity(self.lines)
        var start = 0
        for run in meta.runs[runs] {
            for _ in 0..<run.lines {
                guard let end = bytes.firstLineFeed(from: start) else { break }
                let line = UnsafeRawBufferPointer(rebasing: bytes[start...end])
                lines.append((span.sequence(lines.count).value, run.bucket, line))
                start = end + 1
            }
        }
        lines.sort { $0.sequence < $1.sequence }
        for line in lines {
            output.reserve(line.bytes.count).copyMemory(from: line.bytes)
            output.grow(
                by: CollectionOfOne(Run(bucket: line.bucket, lines: 1, bytes: line.bytes.count)),
                .consecutive(from: line.sequence, count: 1))
        }
    }
}

extension BlockMeta {
    /// Its lines do not lie in order of arrival.
    var isReordered: Bool {
        if case .perLine = arrangement { true } else { false }
    }

    /// Whether one of its lines has this sequence, as far as the block knows.
    func mayHold(_ sequence: Sequence) -> Bool {
        guard (firstSequence...lastSequence).contains(sequence) else { return false }
        guard case .perLine(let offsets) = arrangement else { return true }
        return offsets.contains(sequence.value - firstSequence.value)
    }

    func sequence(ofLine index: Int) -> Sequence {
        switch arrangement {
        case .arrival, .perBlock: firstSequence + index
        case .perLine(let offsets): Sequence(firstSequence.value + offsets[index])
        }
    }
}
