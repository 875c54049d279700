import LogEngine
import SegmentFormat
import TestSupport

/// What the clients of one store know: what they were answered, and what they were given to read. It
/// goes on across crashes, and says what a store owes them and does not keep.
struct Ledger: Sendable {
    enum Fate: Hashable, Sendable {
        case answered(firstSequence: Sequence)
        /// Refused with the promise that nothing of it was stored.
        case refused
        /// Sent, and nobody knows: it is there as a whole or not at all.
        case unknown
    }

    private(set) var batches: [TestBatch] = []
    private(set) var fates: [Int: Fate] = [:]
    /// What readers were given; it must not go away.
    private(set) var served: Set<ReadEvent> = []

    // MARK: What happens

    /// Sends a batch, and notes what comes of it.
    @discardableResult
    mutating func append(_ batch: TestBatch, to log: EventLog) async throws(StoreError) -> AppendOutcome {
        if fates[batch.number] == nil { batches.append(batch) }
        do throws(StoreError) {
            let outcome = try await log.append(batch.lines, delivery: batch.delivery)
            fates[batch.number] = .answered(firstSequence: outcome.firstSequence)
            return outcome
        } catch {
            let isRefused = error.code == .noSpace || error.code == .closed || error.code == .poisoned
            switch fates[batch.number] {
            case nil, .refused: fates[batch.number] = isRefused ? .refused : .unknown
            case .answered, .unknown: break
            }
            throw error
        }
    }

    /// The answer got lost on its way: the client does not know what became of the batch.
    mutating func forgetAnswer(to batch: TestBatch) { fates[batch.number] = .unknown }

    /// A purge of it has begun.
    mutating func mayLose(_ batch: TestBatch) {
        fates[batch.number] = .unknown
        let lines = Set(batch.events.map(\.brief))
        served = served.filter { !lines.contains($0.line) }
    }

    /// A purge of it has ended.
    mutating func hasLost(_ batch: TestBatch) { fates[batch.number] = .refused }

    mutating func wasServed(_ events: [ReadEvent]) { served.formUnion(events) }

    // MARK: What is owed

    /// What is wrong with the events of a store, in order of arrival.
    func violations(of events: [ReadEvent]) -> [String] {
        var found: [String] = []
        if !zip(events, events.dropFirst()).allSatisfy({ $0.sequence < $1.sequence }) {
            found.append("sequences do not rise")
        }
        var places: [String: Sequence] = [:]
        for event in events where places.updateValue(event.sequence, forKey: event.line) != nil {
            found.append("twice: \(event)")
        }
        for batch in batches { found += violations(of: batch, places) }
        let sent = Set(batches.flatMap { $0.events.map(\.brief) })
        found += events.filter { !sent.contains($0.line) }.map { "invented: \($0)" }
        let there = Set(events)
        found += served.filter { !there.contains($0) }.map { "served and gone: \($0)" }
        return found
    }

    private func violations(of batch: TestBatch, _ places: [String: Sequence]) -> [String] {
        let there = batch.events.map { places[$0.brief] }
        let isAbsent = there.allSatisfy { $0 == nil }
        let isWhole = there.indices.allSatisfy { index in
            there[index] != nil && there[index] == there[0].map { $0 + index }
        }
        switch fates[batch.number] {
        case .answered(let first):
            return isWhole && there[0] == first ? [] : ["lost or moved: \(batch), answered with #\(first.value)"]
        case .refused:
            return isAbsent ? [] : ["refused and stored: \(batch)"]
        case .unknown, nil:
            return isWhole || isAbsent ? [] : ["torn: \(batch)"]
        }
    }

    /// Sends every recognisable batch once more, and says what is wrong with the answers.
    mutating func repeatDeliveries(to log: EventLog, holding events: [ReadEvent]) async -> [String] {
        var places: [String: Sequence] = [:]
        for event in events { places[event.line] = event.sequence }
        var found: [String] = []
        for batch in batches where batch.delivery != nil {
            guard let first = batch.events.first else { continue }
            let before = places[first.brief]
            do throws(StoreError) {
                let outcome = try await append(batch, to: log)
                let isRight =
                    outcome.isRepeat == (before != nil) && outcome.accepted == batch.events.count
                    && outcome.discarded == 0 && (before == nil || outcome.firstSequence == before)
                if !isRight { found.append("wrong answer to a repeat of \(batch): \(outcome)") }
            } catch {
                found.append("a repeat of \(batch) failed: \(error)")
            }
        }
        return found
    }
}

/// Everything a scan gives, and how it ended.
func readAll(
    _ snapshot: LogSnapshot, _ request: ScanRequest = ScanRequest()
) throws(StoreError) -> (events: [ReadEvent], summary: ScanSummary) {
    let scan = try Scan(snapshot, request)
    var events: [ReadEvent] = []
    while let chunk = try scan.next() {
        chunk.forEachLine { line, sequence in
            events.append(ReadEvent(sequence: sequence, line: line))
        }
    }
    return (events, scan.summary)
}
