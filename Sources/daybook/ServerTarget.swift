import AsyncHTTPClient
import Synchronization

/// Sends batches to a server, several at a time.
struct ServerTarget: Sendable {
    private static let inFlight = 4

    let server: ServerAddress
    let onError: RefusalPolicy
    /// Its keys make a batch recognisable that is sent again.
    let identity: InputIdentity
    let compresses: Bool

    func store(_ reader: inout some BatchReader, _ tally: inout IngestTally) async throws {
        let client = try server.client()
        let result: Result<Void, any Error>
        do {
            let sender = BatchSender(
                client: client, server: server, identity: identity, compresses: compresses,
                onRetry: Self.sayOnce(Console.current))
            result = .success(try await send(&reader, &tally, sender))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        try result.get()
    }

    private static func sayOnce(_ console: Console) -> @Sendable (String) -> Void {
        let hasSaid = Mutex(false)
        return { line in
            let isFirst = hasSaid.withLock { said in
                defer { said = true }
                return !said
            }
            if isFirst { console.say(line) }
        }
    }

    /// After the first failure no more batches are sent; those in flight are waited for, so that the
    /// tally is right.
    private func send(_ reader: inout some BatchReader, _ tally: inout IngestTally, _ sender: BatchSender) async throws
    {
        try await withThrowingTaskGroup(of: SentBatch.self) { group in
            var failure: (any Error)?
            var isAtEnd = false
            var running = 0
            while true {
                while running < Self.inFlight, !isAtEnd, failure == nil {
                    do {
                        guard let batch = try next(&reader, &tally) else {
                            isAtEnd = true
                            continue
                        }
                        running += 1
                        group.addTask { await sender.send(batch) }
                    } catch {
                        failure = error
                    }
                }
                guard let sent = try await group.next() else { break }
                running -= 1
                do {
                    let receipt = try sent.result.get()
                    tally.add(accepted: receipt.accepted, discarded: receipt.discarded, bytes: sent.bytes)
                } catch {
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
        }
    }

    private func next(_ reader: inout some BatchReader, _ tally: inout IngestTally) throws -> InputBatch? {
        while var batch = try reader.next() {
            if onError == .stop, let refused = batch.refused.first { throw refused }
            var skipped: [RefusedInput] = []
            if onError == .skip { (batch, skipped) = batch.withoutBadLines() }
            tally.skip(skipped, leaving: batch.leftOut)
            if !batch.bytes.isEmpty { return batch }
        }
        return nil
    }
}
