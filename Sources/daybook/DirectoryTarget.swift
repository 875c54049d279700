import Interactions
import LogEngine

/// Stores batches into a directory, in the order of the input: while one becomes durable, the next is
/// read and checked.
struct DirectoryTarget {
    let log: EventLog
    let onError: RefusalPolicy
    /// `nil` where what was stored before is stored again.
    let identity: InputIdentity?

    func store(_ reader: inout some BatchReader, _ tally: inout IngestTally) async throws {
        let scanner = EventScanner(resolution: log.resolution)
        var pending: PendingBatch?
        var failure: (any Error)?
        do {
            while let batch = try reader.next() {
                let (lines, skipped) = try batch.decoded(scanner, onError)
                tally.skip(skipped, leaving: batch.leftOut)
                if let previous = pending { try await Self.finish(previous, &tally) }
                pending = nil
                guard !lines.isEmpty else { continue }
                let delivery = identity?.delivery(of: batch)
                pending = PendingBatch(
                    task: Task { try await log.append(lines, delivery: delivery) }, events: lines.lineCount,
                    bytes: batch.bytes.count)
            }
        } catch {
            failure = error
        }
        if let last = pending { try await Self.finish(last, &tally) }
        if let failure { throw failure }
    }

    private struct PendingBatch {
        let task: Task<AppendOutcome, any Error>
        let events: Int
        let bytes: Int
    }

    private static func finish(_ pending: PendingBatch, _ tally: inout IngestTally) async throws {
        let outcome = try await pending.task.value
        if outcome.isRepeat {
            tally.repeat(pending.events, bytes: pending.bytes)
        } else {
            tally.add(accepted: outcome.accepted, discarded: outcome.discarded, bytes: pending.bytes)
        }
    }
}
