import Synchronization

// Compaction and purge both take segments out of the store and put others in, so only one of them works
// at a time; a purge that waits is let in between two blocks of a compaction.

final class RewriteGate: Sendable {
    private struct State {
        var isHeld = false
        /// Who waits, a purge before all others.
        var waiting: [(isUrgent: Bool, alarm: Alarm)] = []
    }

    private let state = Mutex(State())

    /// Whether whoever holds the gate should leave it soon.
    var isWantedUrgently: Bool { state.withLock { $0.waiting.contains(where: \.isUrgent) } }

    /// Waits for its turn; the caller's thread blocks.
    func enter(isUrgent: Bool) {
        let alarm = state.withLock { state -> Alarm? in
            guard state.isHeld else {
                state.isHeld = true
                return nil
            }
            let alarm = Alarm()
            let end = state.waiting.endIndex
            let place = isUrgent ? state.waiting.firstIndex { !$0.isUrgent } ?? end : end
            state.waiting.insert((isUrgent, alarm), at: place)
            return alarm
        }
        alarm?.wait(atMost: nil)
    }

    /// Hands the gate to the next.
    func leave() {
        let next = state.withLock { state -> Alarm? in
            guard !state.waiting.isEmpty else {
                state.isHeld = false
                return nil
            }
            return state.waiting.removeFirst().alarm
        }
        next?.ring()
    }
}
