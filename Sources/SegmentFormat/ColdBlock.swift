/// A block of a cold segment: lines that have their sequences, by bucket and then by sequence, in one
/// Zstandard frame. `BlockMeta.hold` takes its content, with `firstSequence` as the next one.
public struct ColdBlock: Sendable {
    /// The lowest of its lines.
    public let firstSequence: Sequence
    public let content: BlockContent

    /// `lines` are at most 4 MiB, each ended by LF. Buckets rise from run to run, and `sequences`, one a
    /// line, within each run; none comes twice.
    public init(_ lines: UnsafeRawBufferPointer, runs: [Run], sequences: [Sequence], encoder: ZstdEncoder) {
        guard let first = sequences.min(), let last = sequences.max() else { preconditionFailure("no lines") }
        precondition(Self.areOrdered(runs, sequences), "lines out of order")
        precondition(runs.reduce(0) { $0 + $1.bytes } == lines.count, "runs that are not those of the lines")
        let isConsecutive = zip(sequences, sequences.dropFirst()).allSatisfy { $0 + 1 == $1 }
        firstSequence = first
        content = BlockContent(
            lines, runs: runs,
            arrangement: isConsecutive ? .arrival : .perLine(sequences.map { $0.value - first.value }),
            sequences: Int(last.value - first.value) + 1, encoder: encoder)
    }

    private static func areOrdered(_ runs: [Run], _ sequences: [Sequence]) -> Bool {
        var line = 0
        for run in runs {
            guard run.lines >= 1, line + run.lines <= sequences.count else { return false }
            let own = sequences[line..<line + run.lines]
            guard zip(own, own.dropFirst()).allSatisfy({ $0 < $1 }) else { return false }
            line += run.lines
        }
        return line == sequences.count && zip(runs, runs.dropFirst()).allSatisfy { $0.bucket < $1.bucket }
    }
}
