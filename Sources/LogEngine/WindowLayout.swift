import SegmentFormat

/// Where the lines of a window go. Blocks come in order of sequence; what a block lacks, because it
/// is damaged, leaves a gap that `finish` closes.
struct WindowLayout {
    private struct Place {
        var run: Run
        var byte: Int
        var line: Int
        var bytesDone = 0
        var linesDone = 0
    }

    private var places: [Place] = []
    private var placeOfBucket: [UInt64: Int] = [:]
    private var sequences: [UInt64]
    let byteCount: Int

    init(_ window: WindowPlanner.Window) {
        var (byte, line) = (0, 0)
        for run in window.buckets {
            placeOfBucket[run.bucket.milliseconds] = places.count
            places.append(Place(run: run, byte: byte, line: line))
            byte += run.bytes
            line += run.lines
        }
        byteCount = byte
        sequences = Array(repeating: 0, count: line)
    }

    /// Copies the lines of a block. False where they are not what was planned, which only a file that
    /// changes while it is read can bring about; what does not fit is left out.
    mutating func copy(
        _ meta: BlockMeta, _ slice: BlockSlice, _ bytes: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let span = slice.span(meta)
        var (byte, line) = (0, 0)
        for run in meta.runs[slice.runs] {
            guard let index = placeOfBucket[run.bucket.milliseconds],
                places[index].bytesDone + run.bytes <= places[index].run.bytes,
                places[index].linesDone + run.lines <= places[index].run.lines
            else { return false }
            let place = places[index]
            let start = place.byte + place.bytesDone
            UnsafeMutableRawBufferPointer(rebasing: output[start..<start + run.bytes])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[byte..<byte + run.bytes]))
            for offset in 0..<run.lines {
                sequences[place.line + place.linesDone + offset] = span.sequence(line + offset).value
            }
            places[index].bytesDone += run.bytes
            places[index].linesDone += run.lines
            byte += run.bytes
            line += run.lines
        }
        return true
    }

    /// Hands the lines over to the output that `place` belongs to.
    consuming func finish(_ place: UnsafeMutableRawBufferPointer, into output: ScanOutput) {
        var (byte, line) = (0, 0)
        var runs: [Run] = []
        for done in places where done.linesDone > 0 {
            if byte < done.byte {
                memmove(place.baseAddress, byte, from: done.byte, count: done.bytesDone)
                for offset in 0..<done.linesDone { sequences[line + offset] = sequences[done.line + offset] }
            }
            runs.append(Run(bucket: done.run.bucket, lines: done.linesDone, bytes: done.bytesDone))
            byte += done.bytesDone
            line += done.linesDone
        }
        sequences.removeLast(sequences.count - line)
        output.grow(by: runs, .listed(sequences))
    }

    private func memmove(_ base: UnsafeMutableRawPointer?, _ to: Int, from: Int, count: Int) {
        guard let base else { return }
        (base + to).copyMemory(from: base + from, byteCount: count)
    }
}
