import AsyncHTTPClient
import Synchronization

/// Sends batches to a server, several at a time.
struct ServerTarget: Sendable {
    private static let inFlight = 4

    private let url: String
    private let onError: RefusalPolicy
    /// Makes the keys of this run its own.
    private let run: String

    init(_ url: String, _ onError: RefusalPolicy) throws {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw CommandFailure(.usage, "\(url): a server's URL starts with http:// or https://")
        }
        self.url = (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/wsapi/interaction_data"
        self.onError = onError
        run = hexText(.random(in: .min ... .max)) + hexText(.random(in: .min ... .max))
    }

    func store(_ reader: inout BatchReader, _ tally: inout IngestTally) async throws {
        // Connections are tried again here, where the user is told of it.
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<Void, any Error>
        do {
            let sender = BatchSender(client: client, url: url, run: run, onRetry: Self.sayOnce(Console.current))
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
    private func send(_ reader: inout BatchReader, _ tally: inout IngestTally, _ sender: BatchSender) async throws {
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

    private func next(_ reader: inout BatchReader, _ tally: inout IngestTally) throws -> InputBatch? {
        guard let batch = try reader.next() else { return nil }
        guard onError == .skip else { return batch }
        let (kept, skipped) = batch.withoutBadLines()
        tally.skip(skipped)
        return kept
    }
}
