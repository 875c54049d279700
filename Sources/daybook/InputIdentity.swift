import Interactions
import LogEngine
import SegmentFormat

/// What the batches of an input are called, so that they are recognised when they come again. As the input is
/// always cut in the same places, the number of a batch stands for its content.
struct InputIdentity: Equatable, Sendable {
    /// Of the whole content.
    let hash: Hash128
    let format: IngestCommand.Format

    /// A name for one run alone.
    static func random(_ format: IngestCommand.Format) -> InputIdentity {
        InputIdentity(hash: Hash128(low: .random(in: .min ... .max), high: .random(in: .min ... .max)), format: format)
    }

    /// For a directory, which remembers it without limit of time (SPEC P4).
    func delivery(of batch: InputBatch) -> Delivery {
        .source(
            SourceEpoch(source: hash, epoch: BatchBounds.version << 8 | format.number), number: UInt64(batch.number) + 1
        )
    }

    /// For a server, which remembers it for a day (SPEC P3).
    func key(of batch: InputBatch) -> String {
        "\(hash.hex)-\(BatchBounds.version).\(format.number)-\(batch.number)"
    }

    /// Reads a file to its end and goes back to its beginning. Under `stop` all of it is checked on the way,
    /// so that nothing of a file is stored that has something wrong in it.
    static func read(
        _ reader: some BatchReader, _ format: IngestCommand.Format, _ policy: RefusalPolicy
    ) throws -> InputIdentity {
        let input = reader.input
        switch policy {
        case .stop:
            var reader = reader
            let scanner = EventScanner(resolution: .oneMillisecond)
            while let batch = try reader.next() { _ = try batch.decoded(scanner, policy) }
        case .skip:
            var bytes: [UInt8] = []
            while try input.read(onto: &bytes) { bytes.removeAll(keepingCapacity: true) }
        }
        let identity = InputIdentity(hash: input.digest, format: format)
        try input.rewind()
        return identity
    }
}
