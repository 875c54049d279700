/// A block of a cold segment: lines that have their sequences, by bucket and then by sequence, in one
/// Zstandard frame. `BlockMeta.hold` takes its content, with `firstSequence` as the next one.
public struct ColdBlock: Sendable {
    /// The lowest of its lines.
    public let firstSequence: Sequence
    public let content: BlockContent

    /// `lines` are at most 4 MiB, each ended by LF. Buckets rise from run to run, and `sequences`, one a
    /// line, within each run; none comes twice. `keys` are the hashes of their keys, each once.
    public init(
        _ lines: UnsafeRawBufferPointer, runs: [Run], sequences: [Sequence], keys: [UInt64] = [], encoder: ZstdEncoder
    ) {
        guard let first = sequences.min(), let last = sequences.max() else { preconditionFailure("no lines") }
        precondition(Self.areOrdered(runs, sequences), "lines out of order")
        let isConsecutive = zip(sequences, sequences.dropFirst()).allSatisfy { $0 + 1 == $1 }
        self.init(
            lines, runs: runs, first...last,
            arrangement: isConsecutive ? .arrival : .perLine(sequences.map { $0.value - first.value }), keys: keys,
            encoder: encoder)
    }

    /// The same of lines that keep no sequence each (SPEC Q1): they have `sequences`, the first and the last
    /// one among them, in an order that nobody can tell.
    public init(
        _ lines: UnsafeRawBufferPointer, runs: [Run], within sequences: ClosedRange<Sequence>, keys: [UInt64],
        encoder: ZstdEncoder
    ) {
        let count = runs.reduce(0) { $0 + $1.lines }
        let room = sequences.upperBound.value - sequences.lowerBound.value + 1
        precondition(count > 0 && UInt64(count) <= room, "\(count) lines of \(room) sequences")
        precondition(zip(runs, runs.dropFirst()).allSatisfy { $0.bucket < $1.bucket }, "lines out of order")
        self.init(lines, runs: runs, sequences, arrangement: .perBlock, keys: keys, encoder: encoder)
    }

    private init(
        _ lines: UnsafeRawBufferPointer, runs: [Run], _ sequences: ClosedRange<Sequence>, arrangement: Arrangement,
        keys: [UInt64], encoder: ZstdEncoder
    ) {
        precondition(runs.reduce(0) { $0 + $1.bytes } == lines.count, "runs that are not those of the lines")
        firstSequence = sequences.lowerBound
        content = BlockContent(
            lines, runs: runs, arrangement: arrangement,
            sequences: Int(sequences.upperBound.value - sequences.lowerBound.value) + 1, keys: keys,
            encoder: encoder)
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
