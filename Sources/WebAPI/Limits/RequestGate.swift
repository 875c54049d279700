import Synchronization

/// Lets requests in as far as the limits of a listener go.
final class RequestGate: Sendable {
    private let limits: RequestLimits
    private let drain: Drain
    private let uptime: @Sendable () -> UInt64
    private let inFlight = Atomic<Int>(0)
    /// `nil` where any rate will do.
    private let clients: Mutex<ClientRates<Client>?>

    init(_ limits: RequestLimits, _ drain: Drain = Drain(), uptime: @escaping @Sendable () -> UInt64) {
        precondition(limits.isWithinBounds, "the limits of requests are out of bounds")
        self.limits = limits
        self.drain = drain
        self.uptime = uptime
        clients = Mutex(limits.rate.map { ClientRates($0, capacity: RequestLimits.rememberedClients) })
    }

    /// To be followed by one `leave()`, unless this throws.
    func enter(_ client: @autoclosure () -> Client) throws(Problem) {
        try drain.enter()
        let isFull = inFlight.wrappingAdd(1, ordering: .relaxed).newValue > limits.inFlight
        do throws(Problem) {
            if isFull { throw .tooManyInFlight }
            try admit(client)
        } catch {
            leave()
            throw error
        }
    }

    func leave() {
        inFlight.wrappingSubtract(1, ordering: .relaxed)
        drain.leave()
    }

    private func admit(_ client: () -> Client) throws(Problem) {
        guard limits.rate != nil else { return }
        let (client, now) = (client(), uptime())
        let decision = clients.withLock { $0?.admit(client, now: now) }
        if case .refused(let wait) = decision { throw .tooManyRequests(wait: wait) }
    }
}
