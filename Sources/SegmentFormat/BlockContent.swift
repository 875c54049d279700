/// The lines of a block, ordered and compressed; it knows nothing yet of segment, commit and
/// sequence, so it can be made before these are given out.
public struct BlockContent: Sendable {
    public let codec: Codec
    public let runs: [Run]
    public let arrangement: Arrangement
    public let lines: Int
    /// From the first sequence through the last, those of lines elsewhere included.
    public let sequences: Int
    public let rawLength: Int
    /// One frame of the codec.
    public let data: [UInt8]
    public let dataHash: UInt64
    /// Hashes of the keys of the lines, each once; none where the stream has no keys.
    public let keys: [UInt64]

    /// The blocks of a batch, in order of arrival.
    public static func blocks(of batch: LineBatch) -> [BlockContent] {
        (0..<batch.blockCount).map { index in
            let (stretches, bytes, keys) = batch.block(index)
            return BlockContent(stretches: stretches, bytes: bytes, keys: keys)
        }
    }

    private init(stretches: ArraySlice<Run>, bytes: UnsafeRawBufferPointer, keys: ArraySlice<UInt64>) {
        codec = .lz4
        self.keys = Array(Set(keys))
        lines = stretches.reduce(0) { $0 + $1.lines }
        sequences = lines
        rawLength = bytes.count
        let isOrdered = zip(stretches, stretches.dropFirst()).allSatisfy { $0.bucket <= $1.bucket }
        if isOrdered {
            runs = Self.merged(stretches)
            arrangement = .arrival
            data = LZ4Frame.encode(bytes)
        } else {
            let order = Ordering(stretches)
            runs = Self.merged(order.sorted.map(\.stretch))
            arrangement = .perLine(order.sequenceOffsets(lines: lines))
            data = order.withGatheredBytes(bytes) { LZ4Frame.encode($0) }
        }
        dataHash = data.withUnsafeBytes { xxh3($0) }
    }

    /// Lines that lie in the order of `runs` already.
    init(
        _ bytes: UnsafeRawBufferPointer, runs: [Run], arrangement: Arrangement, sequences: Int, keys: [UInt64],
        encoder: ZstdEncoder
    ) {
        codec = .zstandard
        self.keys = keys
        self.runs = runs
        self.arrangement = arrangement
        lines = runs.reduce(0) { $0 + $1.lines }
        self.sequences = sequences
        rawLength = bytes.count
        data = encoder.encode(bytes)
        dataHash = data.withUnsafeBytes { xxh3($0) }
    }

    private static func merged(_ stretches: some Swift.Sequence<Run>) -> [Run] {
        var runs: [Run] = []
        for stretch in stretches {
            if let last = runs.indices.last, runs[last].bucket == stretch.bucket {
                runs[last].lines += stretch.lines
                runs[last].bytes += stretch.bytes
            } else {
                runs.append(stretch)
            }
        }
        return runs
    }
}

/// Stretches in order of bucket, and of arrival where buckets are equal.
private struct Ordering {
    struct Placed {
        var stretch: Run
        var byte: Int
        var line: Int
    }

    private(set) var sorted: [Placed] = []

    init(_ stretches: ArraySlice<Run>) {
        var (byte, line) = (0, 0)
        for stretch in stretches {
            sorted.append(Placed(stretch: stretch, byte: byte, line: line))
            byte += stretch.bytes
            line += stretch.lines
        }
        sorted.sort { ($0.stretch.bucket, $0.line) < ($1.stretch.bucket, $1.line) }
    }

    func sequenceOffsets(lines: Int) -> [UInt64] {
        var offsets: [UInt64] = []
        offsets.reserveCapacity(lines)
        for placed in sorted {
            for line in placed.line..<placed.line + placed.stretch.lines { offsets.append(UInt64(line)) }
        }
        return offsets
    }

    func withGatheredBytes<Result>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let gathered = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { gathered.deallocate() }
        var end = 0
        for placed in sorted {
            let source = UnsafeRawBufferPointer(rebasing: bytes[placed.byte..<placed.byte + placed.stretch.bytes])
            UnsafeMutableRawBufferPointer(rebasing: gathered[end..<end + source.count]).copyMemory(from: source)
            end += source.count
        }
        return body(UnsafeRawBufferPointer(gathered))
    }
}
