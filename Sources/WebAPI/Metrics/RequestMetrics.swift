import CoreMetrics
import HTTPTypes
import Synchronization

/// Requests by endpoint and status, and how long they took.
final class RequestMetrics: Sendable {
    /// The statuses that are told apart; any other is `other`.
    private static let statuses = [
        200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 408, 410, 413, 415, 422, 429, 431, 500, 503, 507,
    ]
    private static let statusNumbers: [Int: Int] = Dictionary(
        uniqueKeysWithValues: statuses.enumerated().map { ($1, $0) })

    private let factory: any MetricsFactory
    /// By endpoint, then status.
    private let counts: [Lazily<Counter>]
    /// By endpoint.
    private let durations: [Lazily<Timer>]
    private let inFlight: Meter
    private let answered = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)

    init(_ factory: any MetricsFactory) {
        self.factory = factory
        counts = (0..<Endpoint.count * (Self.statuses.count + 1)).map { _ in Lazily() }
        durations = (0..<Endpoint.count).map { _ in Lazily() }
        inFlight = Meter(label: "daybook_requests_in_flight", factory: factory)
    }

    var totals: (answered: Int, failed: Int) {
        (answered.load(ordering: .relaxed), failed.load(ordering: .relaxed))
    }

    func begin() { inFlight.increment() }
    func end() { inFlight.decrement() }

    func answered(_ endpoint: Endpoint, _ status: HTTPResponse.Status, nanoseconds: UInt64) {
        answered.wrappingAdd(1, ordering: .relaxed)
        if status.kind == .serverError { failed.wrappingAdd(1, ordering: .relaxed) }
        let number = Self.statusNumbers[status.code] ?? Self.statuses.count
        counts[endpoint.number * (Self.statuses.count + 1) + number].value {
            let text = number < Self.statuses.count ? String(status.code) : "other"
            return Counter(
                label: "daybook_requests_total", dimensions: endpoint.labels + [("status", text)], factory: factory)
        }.increment()
        durations[endpoint.number].value {
            Timer(label: "daybook_request_duration_seconds", dimensions: endpoint.labels, factory: factory)
        }.recordNanoseconds(Int64(clamping: nanoseconds))
    }
}

/// Made when it is first wanted, by whoever comes first. Most endpoints never see most statuses.
private final class Lazily<Value: AnyObject & Sendable>: Sendable {
    private let reference = AtomicLazyReference<Value>()

    func value(_ make: () -> Value) -> Value { reference.load() ?? reference.storeIfNil(make()) }
}
