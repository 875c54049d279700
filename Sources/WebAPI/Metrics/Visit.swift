import HTTPTypes

/// A request while it is being answered. Its status and the time it took are counted before the end of the
/// answer is sent, so that who has an answer finds it in the numbers.
struct Visit {
    let endpoint: Endpoint
    private let began: UInt64
    private let metrics: RequestMetrics
    /// That it has to leave by.
    private var gate: RequestGate?

    /// - Parameter now: by a clock that nobody sets, in nanoseconds; so is that of `answer`.
    init(to endpoint: Endpoint, _ metrics: RequestMetrics, now: UInt64) {
        self.endpoint = endpoint
        began = now
        self.metrics = metrics
        metrics.begin()
    }

    mutating func enter(_ gate: RequestGate, _ client: @autoclosure () -> Client) throws(Problem) {
        try gate.enter(client())
        self.gate = gate
    }

    func answer(_ status: HTTPResponse.Status, now: UInt64) {
        metrics.answered(endpoint, status, nanoseconds: now - began)
    }

    /// The last of it, whether or not it was answered.
    func end() {
        gate?.leave()
        metrics.end()
    }
}
