import Synchronization

// NIO's own back-pressure is loose: a writer off the event loop can queue many pieces before the loop
// has had a chance to say stop. This is the hard bound: who writes an answer reserves its bytes first,
// and the connection gives them back as the socket takes them.

/// The answers of one connection on their way out. Shared by who writes them and the connection's
/// event loop.
final class ResponseFlow: Sendable {
    /// Bytes that may wait for the socket. A single larger piece goes alone.
    static let limit = 1 << 20

    private struct State {
        var unflushed = 0
        var waiting: (bytes: Int, continuation: CheckedContinuation<Void, Never>)?
        var isClosed = false
        var hasDeparted = false
        var onDeparture: (@Sendable () -> Void)?

        func hasRoom(for bytes: Int) -> Bool {
            isClosed || unflushed == 0 || unflushed + bytes <= ResponseFlow.limit
        }

        mutating func take(_ bytes: Int) -> Bool {
            guard hasRoom(for: bytes) else { return false }
            unflushed += bytes
            return true
        }

        mutating func takeWaiting() -> CheckedContinuation<Void, Never>? {
            guard let (bytes, continuation) = waiting, take(bytes) else { return nil }
            waiting = nil
            return continuation
        }
    }

    private let state = Mutex(State())
    private let counters: Counters

    init(_ counters: Counters) { self.counters = counters }

    /// Suspends until `bytes` more may be written. Returns at once when the connection is closed or
    /// the task cancelled: the write itself then fails.
    func reserve(_ bytes: Int) async {
        let hasRoom = state.withLock { $0.take(bytes) }
        if !hasRoom {
            await withTaskCancellationHandler {
                await withCheckedContinuation { wait($0, for: bytes) }
            } onCancel: {
                close()
            }
        }
        counters.holdsUnflushed(state.withLock { $0.unflushed })
    }

    private func wait(_ continuation: CheckedContinuation<Void, Never>, for bytes: Int) {
        let isReady = state.withLock { state in
            if state.take(bytes) { return true }
            state.waiting = (bytes, continuation)
            return false
        }
        if isReady { continuation.resume() }
    }

    /// The socket has taken, or dropped, `bytes` that were reserved.
    func release(_ bytes: Int) {
        let ready = state.withLock { state in
            state.unflushed -= bytes
            return state.takeWaiting()
        }
        ready?.resume()
    }

    /// Nothing more goes out.
    func close() {
        let ready = state.withLock { state in
            state.isClosed = true
            return state.takeWaiting()
        }
        ready?.resume()
        depart()
    }

    /// The client has closed its side. It may still read an answer that ends.
    func depart() {
        let action = state.withLock { state in
            state.hasDeparted = true
            defer { state.onDeparture = nil }
            return state.onDeparture
        }
        action?()
    }

    /// Calls `action` once when the client closes its side, at once if it has; takes the place of the
    /// action that was set before.
    func onDeparture(_ action: @escaping @Sendable () -> Void) {
        let hasDeparted = state.withLock { state in
            if !state.hasDeparted { state.onDeparture = action }
            return state.hasDeparted
        }
        if hasDeparted { action() }
    }
}
