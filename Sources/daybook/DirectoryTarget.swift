import Interactions
import LogEngine

/// Stores batches into a directory, in the order of the input: while one becomes durable, the next is
/// read and checked.
struct DirectoryTarget {
    let log: EventLog
    let onError: RefusalPolicy

    func store(_ reader: inout BatchReader, _ tally: inout IngestTally) async throws {
        let scanner = EventScanner(resolution: log.resolution)
        var pending: (task: Task<AppendOutcome, any Error>, bytes: Int)?
        var failure: (any Error)?
        do {
            while let batch = try reader.next() {
                let (lines, skipped) = try batch.decoded(scanner, onError)
                tally.skip(skipped)
                if let previous = pending { try await Self.finish(previous, &tally) }
                pending = nil
                guard !lines.isEmpty else { continue }
                pending = (Task { try await log.append(lines, delivery: nil) }, batch.bytes.count)
            }
        } catch {
            failure = error
        }
        if let last = pending { try await Self.finish(last, &tally) }
        if let failure { throw failure }
    }

    private static func finish(
        _ pending: (task: Task<AppendOutcome, any Error>, bytes: Int), _ tally: inout IngestTally
    ) async throws {
        let outcome = try await pending.task.value
        tally.add(accepted: outcome.accepted, discarded: outcome.discarded, bytes: pending.bytes)
    }
}
