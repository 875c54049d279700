import SegmentFormat

extension BlockSlice {
    /// Leaves out the lines that `isDropped` names, by line, bucket and sequence: of `bytes`, which are this slice's, those that stay are moved together
    /// at the front. Returns the slice of what is there now, and the meta that it is of.
    func dropping(
        of meta: BlockMeta, _ bytes: UnsafeMutableRawBufferPointer,
        where isDropped: (UnsafeRawBufferPointer, Bucket, Sequence) -> Bool
    ) -> (meta: BlockMeta, slice: BlockSlice) {
        let span = span(meta)
        var kept = meta
        kept.runs = []
        var offsets: [UInt64] = []
        var (start, index, end) = (0, 0, 0)
        for run in meta.runs[runs] {
            var left = Run(bucket: run.bucket, lines: 0, bytes: 0)
            for _ in 0..<run.lines {
                guard let lineFeed = UnsafeRawBufferPointer(bytes).firstLineFeed(from: start) else { break }
                let sequence = span.sequence(index)
                let line = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...lineFeed])
                if !isDropped(UnsafeRawBufferPointer(rebasing: line.dropLast()), run.bucket, sequence) {
                    UnsafeMutableRawBufferPointer(rebasing: bytes[end..<end + line.count]).copyMemory(from: line)
                    end += line.count
                    left.lines += 1
                    left.bytes += line.count
                    offsets.append(sequence.value - meta.firstSequence.value)
                }
                index += 1
                start = lineFeed + 1
            }
            if left.lines > 0 { kept.runs.append(left) }
        }
        (kept.lines, kept.rawLength, kept.arrangement) = (offsets.count, end, .perLine(offsets))
        return (kept, BlockSlice(kept, Bucket.earliest...Bucket.latest))
    }
}
