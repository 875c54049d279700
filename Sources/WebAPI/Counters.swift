import CoreMetrics
import Synchronization

/// What became of the events that clients sent, since the server started.
public final class Counters: Sendable {
    /// Under one reason. A body that was refused unread counts no events.
    public struct Refusals: Equatable, Sendable {
        public var requests = 0
        public var events = 0
    }

    private let factory: any MetricsFactory
    private let acceptedEvents: Tally
    private let discardedEvents: Tally
    private let deliveredEvents: Tally
    private let repeatedBatches: Tally
    private let ignoredIdentities: Tally
    private let failedAuditFlushes: Tally
    private let lostAuditRecords: Tally
    private let receivedBytes: Tally
    private let sentBytes: Tally
    private let connections: Meter
    private let streams: Meter
    private let runningAnswers = Atomic<Int>(0)
    private let highestUnflushed = Atomic<Int>(0)
    /// By reason. There are as many as the source names, whatever clients send.
    private let drops = Mutex<[String: Drops]>([:])

    init(_ registry: MetricRegistry) {
        factory = registry
        acceptedEvents = Tally("daybook_events_in_total", in: registry)
        deliveredEvents = Tally("daybook_events_out_total", in: registry)
        repeatedBatches = Tally("daybook_repeated_batches_total", in: registry)
        ignoredIdentities = Tally("daybook_untrusted_identities_total", in: registry)
        failedAuditFlushes = Tally("daybook_failed_audit_flushes_total", in: registry)
        lostAuditRecords = Tally("daybook_lost_audit_records_total", in: registry)
        receivedBytes = Tally("daybook_request_body_bytes_total", in: registry)
        sentBytes = Tally("daybook_response_body_bytes_total", in: registry)
        discardedEvents = Tally(
            "daybook_dropped_total", [("kind", "events"), ("reason", "before_horizon")], in: registry)
        connections = Meter(label: "daybook_connections", factory: registry)
        streams = Meter(label: "daybook_streams", factory: registry)
    }

    /// Events made durable.
    public var accepted: Int { acceptedEvents.value }
    /// Events before the horizon, which were not stored.
    public var discarded: Int { discardedEvents.value }
    /// Events in answers that came to their end.
    public var delivered: Int { deliveredEvents.value }
    /// Batches that came again under their idempotency key.
    public var repeats: Int { repeatedBatches.value }
    /// Requests that named a user without being a trusted forwarder's.
    public var untrustedIdentities: Int { ignoredIdentities.value }
    /// Times that records of accesses could not be written. They are tried again.
    public var auditFailures: Int { failedAuditFlushes.value }
    /// Records of accesses that were given up, because too many waited.
    public var lostRecords: Int { lostAuditRecords.value }
    /// By the `reason` of the answer.
    public var refused: [String: Refusals] { drops.withLock { $0.mapValues(\.refusals) } }
    /// Streamed answers that have not come to their end.
    public var streaming: Int { runningAnswers.load(ordering: .relaxed) }
    /// The most bytes of answers that one connection held because its socket had not taken them yet.
    public var highestUnflushedBytes: Int { highestUnflushed.load(ordering: .relaxed) }

    func accept(_ events: Int, discarding discarded: Int) {
        acceptedEvents.add(events)
        if discarded > 0 { discardedEvents.add(discarded) }
    }

    /// Of somebody who is no trusted forwarder.
    func ignoreIdentity() { ignoredIdentities.add(1) }

    func failAuditFlush(losing records: Int) {
        failedAuditFlushes.add(1)
        lostAuditRecords.add(records)
    }

    func `repeat`() { repeatedBatches.add(1) }

    func refuse(_ reason: String, events: Int) { drop(reason, requests: 1, events: events) }

    /// One event, of a body that was taken without it.
    func skip(_ reason: String) { drop(reason, requests: 0, events: 1) }

    private func drop(_ reason: String, requests: Int, events: Int) {
        drops.withLock { drops in
            if drops[reason] == nil { drops[reason] = Drops(reason, factory) }
            drops[reason]?.add(requests: requests, events: events)
        }
    }

    /// The body of a POST of events.
    func receive(bytes: Int) { receivedBytes.add(bytes) }
    func send(bytes: Int) { sentBytes.add(bytes) }
    func deliver(events: Int) { deliveredEvents.add(events) }

    func beginConnection() { connections.increment() }
    func endConnection() { connections.decrement() }

    func beginStreaming() {
        runningAnswers.add(1, ordering: .relaxed)
        streams.increment()
    }

    func endStreaming() {
        runningAnswers.subtract(1, ordering: .relaxed)
        streams.decrement()
    }

    func holdsUnflushed(_ bytes: Int) {
        highestUnflushed.max(bytes, ordering: .relaxed)
    }
}

/// A counter that can be read back.
private struct Tally: Sendable {
    private let counter: Counter
    private let series: CounterSeries

    init(_ name: String, _ labels: [(String, String)] = [], in registry: MetricRegistry) {
        counter = Counter(label: name, dimensions: labels, factory: registry)
        series = registry.counter(name, labels)
    }

    var value: Int { Int(series.value) }
    func add(_ amount: Int) { counter.increment(by: amount) }
}

/// What was dropped for one reason.
private struct Drops: Sendable {
    private(set) var refusals = Counters.Refusals()
    private let requests: Counter
    private let events: Counter

    init(_ reason: String, _ factory: any MetricsFactory) {
        func counter(_ kind: String) -> Counter {
            Counter(label: "daybook_dropped_total", dimensions: [("kind", kind), ("reason", reason)], factory: factory)
        }
        (requests, events) = (counter("requests"), counter("events"))
    }

    mutating func add(requests: Int, events: Int) {
        refusals.requests += requests
        refusals.events += events
        self.requests.increment(by: requests)
        self.events.increment(by: events)
    }
}
