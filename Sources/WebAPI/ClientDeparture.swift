import Synchronization

/// Tells who waits on a client's behalf that the client has closed its side. Shared by the
/// connection's event loop and the task that answers.
final class ClientDeparture: Sendable {
    private struct State {
        var hasDeparted = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Calls `action` once when the client leaves, at once if it has; takes the place of the action
    /// that was set before.
    func onDeparture(_ action: @escaping @Sendable () -> Void) {
        let hasDeparted = state.withLock { state in
            if !state.hasDeparted { state.action = action }
            return state.hasDeparted
        }
        if hasDeparted { action() }
    }

    func depart() {
        let action = state.withLock { state in
            state.hasDeparted = true
            defer { state.action = nil }
            return state.action
        }
        action?()
    }
}
