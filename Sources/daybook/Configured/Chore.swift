import ServiceLifecycle

/// What goes on beside the servers until they end, and is of no use afterwards.
struct Chore: Service {
    private let body: @Sendable () async -> Void

    init(_ body: @escaping @Sendable () async -> Void) { self.body = body }

    func run() async { await cancelWhenGracefulShutdown(body) }
}
