import SegmentFormat

/// Lines that come in any order, and go by sequence.
final class GatheredLines {
    private struct Line {
        let sequence: UInt64
        let bucket: Bucket
        var start: Int
        let byteCount: Int
    }

    /// What a line costs beside its bytes.
    static let lineOverhead = MemoryLayout<Line>.stride

    private var buffer: UnsafeMutableRawBufferPointer
    private var byteCount = 0
    private var lines: [Line] = []
    /// Lines before it have gone.
    private var next = 0

    init(capacity: Int) { buffer = LineMemory.allocate(capacity) }

    deinit { LineMemory.deallocate(buffer) }

    var isEmpty: Bool { lines.isEmpty }
    /// Bytes of memory.
    var cost: Int { byteCount + lines.count * Self.lineOverhead }

    /// Takes those lines of a block, of which `bytes` are the slice, whose sequence is in a range.
    func append(
        _ meta: BlockMeta, _ slice: BlockSlice, _ bytes: UnsafeRawBufferPointer, sequences: ClosedRange<Sequence>
    ) {
        let span = slice.span(meta)
        var (start, index) = (0, 0)
        for run in meta.runs[slice.runs] {
            for _ in 0..<run.lines {
                guard let end = bytes.firstLineFeed(from: start) else { return }
                let sequence = span.sequence(index)
                if sequences.contains(sequence) {
                    append(UnsafeRawBufferPointer(rebasing: bytes[start...end]), sequence, run.bucket)
                }
                index += 1
                start = end + 1
            }
        }
    }

    private func append(_ line: UnsafeRawBufferPointer, _ sequence: Sequence, _ bucket: Bucket) {
        if byteCount + line.count > buffer.count { enlarge(for: line.count) }
        UnsafeMutableRawBufferPointer(rebasing: buffer[byteCount..<byteCount + line.count]).copyMemory(from: line)
        lines.append(Line(sequence: sequence.value, bucket: bucket, start: byteCount, byteCount: line.count))
        byteCount += line.count
    }

    private func enlarge(for count: Int) {
        let larger = LineMemory.allocate((byteCount + count) * 3 / 2)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<byteCount]))
        LineMemory.deallocate(buffer)
        buffer = larger
    }

    func sort() { lines.sort { $0.sequence < $1.sequence } }

    /// Forgets the upper half of the lines. Returns the highest sequence of those that are left; `nil`, and
    /// nothing is forgotten, where there is only one.
    func keepLowerHalf() -> Sequence? {
        guard lines.count > 1 else { return nil }
        sort()
        lines.removeSubrange((lines.count / 2)...)
        let highest = lines.last.map { Sequence($0.sequence) }
        lines.sort { $0.start < $1.start }
        byteCount = 0
        for index in lines.indices {
            let (from, count) = (lines[index].start, lines[index].byteCount)
            UnsafeMutableRawBufferPointer(rebasing: buffer[byteCount..<byteCount + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[from..<from + count]))
            lines[index].start = byteCount
            byteCount += count
        }
        return highest
    }

    /// Hands the next sorted lines over, `count` or until the output has a chunk. Returns whether there are more.
    func move(to output: ScanOutput, lines count: Int) -> Bool {
        let first = next
        var runs: [Run] = []
        var bytes = 0
        while next < lines.count, next - first < count, output.byteCount + bytes < Bounds.scanChunk {
            let line = lines[next]
            if let last = runs.indices.last, runs[last].bucket == line.bucket {
                runs[last].lines += 1
                runs[last].bytes += line.byteCount
            } else {
                runs.append(Run(bucket: line.bucket, lines: 1, bytes: line.byteCount))
            }
            bytes += line.byteCount
            next += 1
        }
        var place = output.reserve(bytes)
        for line in lines[first..<next] {
            place.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[line.start..<line.start + line.byteCount]))
            place = UnsafeMutableRawBufferPointer(rebasing: place[line.byteCount...])
        }
        output.grow(by: runs, .listed(lines[first..<next].map(\.sequence)))
        return next < lines.count
    }
}
