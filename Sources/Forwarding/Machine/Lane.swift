/// The way to one server: one batch at a time.
struct Lane: Sendable {
    enum Phase: Equatable, Sendable {
        case idle
        /// A batch is bound to the server, and the record that says so not durable yet.
        case recording(number: UInt64, generation: UInt64)
        /// `isRepeat`: the server may have the batch already.
        case sending(number: UInt64, isRepeat: Bool, since: Int64)
        /// Nobody knows what became of the batch: it is sent again, to this server alone.
        case unknown(number: UInt64)
    }

    let server: ServerName
    var phase = Phase.idle
    /// In a row.
    var failures = 0
    /// Nothing is sent before.
    var notBefore: Int64 = .min
    var lastProblem: String?

    init(_ server: ServerName) { self.server = server }

    /// It takes what it is given, so others are not needed.
    func isHealthy(at ticks: Int64, _ policy: ForwardingPolicy) -> Bool {
        guard failures == 0 else { return false }
        switch phase {
        case .idle, .recording: return true
        case .sending(_, let isRepeat, let since): return !isRepeat && ticks - since < policy.stallMilliseconds
        case .unknown: return false
        }
    }

    var isRecording: Bool { if case .recording = phase { true } else { false } }

    /// A batch of which nobody knows whether it was stored.
    var mayHaveBatch: Bool {
        switch phase {
        case .unknown: true
        case .sending(_, let isRepeat, _): isRepeat
        case .idle, .recording: false
        }
    }

    mutating func succeed() {
        failures = 0
        notBefore = .min
        lastProblem = nil
    }

    mutating func fail(_ problem: String, until ticks: Int64) {
        failures += 1
        notBefore = ticks
        lastProblem = problem
    }
}
