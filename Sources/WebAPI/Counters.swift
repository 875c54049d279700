import Synchronization

/// What became of the events that clients sent, since the server started.
public final class Counters: Sendable {
    /// Refusals under one reason. A body that was refused unread counts no events.
    public struct Refusals: Equatable, Sendable {
        public var bodies = 0
        public var events = 0
    }

    private let acceptedEvents = Atomic<Int>(0)
    private let discardedEvents = Atomic<Int>(0)
    private let repeatedBodies = Atomic<Int>(0)
    private let runningAnswers = Atomic<Int>(0)
    private let highestUnflushed = Atomic<Int>(0)
    private let refusals = Mutex<[String: Refusals]>([:])

    init() {}

    /// Events made durable.
    public var accepted: Int { acceptedEvents.load(ordering: .relaxed) }
    /// Events before the horizon, which were not stored.
    public var discarded: Int { discardedEvents.load(ordering: .relaxed) }
    /// Bodies that came again under their idempotency key.
    public var repeats: Int { repeatedBodies.load(ordering: .relaxed) }
    /// By the `reason` of the answer.
    public var refused: [String: Refusals] { refusals.withLock { $0 } }
    /// Streamed answers that have not come to their end.
    public var streaming: Int { runningAnswers.load(ordering: .relaxed) }
    /// The most bytes of answers that one connection held because its socket had not taken them yet.
    public var highestUnflushedBytes: Int { highestUnflushed.load(ordering: .relaxed) }

    func accept(_ events: Int, discarding discarded: Int) {
        acceptedEvents.add(events, ordering: .relaxed)
        if discarded > 0 { discardedEvents.add(discarded, ordering: .relaxed) }
    }

    func `repeat`() {
        repeatedBodies.add(1, ordering: .relaxed)
    }

    func refuse(_ reason: String, events: Int) {
        refusals.withLock {
            $0[reason, default: Refusals()].bodies += 1
            $0[reason, default: Refusals()].events += events
        }
    }

    /// One event, of a body that was taken without it.
    func skip(_ reason: String) {
        refusals.withLock { $0[reason, default: Refusals()].events += 1 }
    }

    func beginStreaming() { runningAnswers.add(1, ordering: .relaxed) }
    func endStreaming() { runningAnswers.subtract(1, ordering: .relaxed) }

    func holdsUnflushed(_ bytes: Int) {
        highestUnflushed.max(bytes, ordering: .relaxed)
    }
}
