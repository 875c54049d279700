import Synchronization

// Back-pressure on intake: raw bytes that were taken in and are not durable yet are bounded, and so
// is the number of those who wait for room.

/// Room for a number of raw bytes; given back once, by `release` or at the end of its life.
public final class Admission: Sendable {
    private let bytes: Atomic<Int>
    private let gate: AdmissionGate

    fileprivate init(_ bytes: Int, _ gate: AdmissionGate) {
        self.bytes = Atomic(bytes)
        self.gate = gate
    }

    deinit { release() }

    public func release() {
        let count = bytes.exchange(0, ordering: .acquiringAndReleasing)
        if count > 0 { gate.give(back: count) }
    }
}

final class AdmissionGate: Sendable {
    private struct State {
        var inFlight = 0
        var waiting: [(bytes: Int, continuation: UnsafeContinuation<Bool, Never>)] = []
        var isClosed = false

        /// Takes in so many bytes if they need not wait. More than the whole bound is let in when nothing
        /// else is in flight.
        mutating func takeIn(_ bytes: Int, bound: Int) -> Bool {
            guard !isClosed, waiting.isEmpty, inFlight == 0 || inFlight + bytes <= bound else { return false }
            inFlight += bytes
            return true
        }
    }

    private let state = Mutex(State())
    private let bound: Int

    init(bound: Int = Bounds.inFlightBytes) { self.bound = bound }

    var bytesInFlight: Int { state.withLock { $0.inFlight } }

    /// Waits in line for room.
    func admit(_ bytes: Int) async throws(StoreError) -> Admission {
        let isIn = await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
            let entered: Bool? = state.withLock { state in
                if state.takeIn(bytes, bound: bound) { return true }
                guard !state.isClosed, state.waiting.count < Bounds.waitingAppends else { return false }
                state.waiting.append((bytes, continuation))
                return nil
            }
            if let entered { continuation.resume(returning: entered) }
        }
        guard isIn else { throw state.withLock { $0.isClosed } ? .closed : .busy }
        return Admission(bytes, self)
    }

    /// `nil` where there is no room without waiting.
    func admitNow(_ bytes: Int) -> Admission? {
        state.withLock { $0.takeIn(bytes, bound: bound) } ? Admission(bytes, self) : nil
    }

    fileprivate func give(back bytes: Int) {
        let admitted = state.withLock { state in
            state.inFlight -= bytes
            var admitted: [UnsafeContinuation<Bool, Never>] = []
            while let first = state.waiting.first,
                state.inFlight == 0 || state.inFlight + first.bytes <= bound
            {
                state.inFlight += first.bytes
                admitted.append(first.continuation)
                state.waiting.removeFirst()
            }
            return admitted
        }
        for continuation in admitted { continuation.resume(returning: true) }
    }

    /// Refuses whoever waits, and whoever comes.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting.map(\.continuation)
        }
        for continuation in waiting { continuation.resume(returning: false) }
    }
}
