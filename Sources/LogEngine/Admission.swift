import Synchronization

// Back-pressure on intake: raw bytes that were taken in and are not durable yet are bounded, and so
// is the number of those who wait for room. A body is let in before it is there, and takes more room as
// it comes, so who announces much and sends little keeps nobody out.

/// Room for a number of raw bytes; given back once, by `release` or at the end of its life.
public final class Admission: Sendable {
    private let room: Atomic<Int>
    private let gate: AdmissionGate

    fileprivate init(_ bytes: Int, _ gate: AdmissionGate) {
        room = Atomic(bytes)
        self.gate = gate
    }

    deinit { release() }

    public var bytes: Int { room.load(ordering: .relaxed) }

    /// Waits for room for more, and keeps what it has. One call at a time, none after `release`.
    ///
    /// - Throws: `busy` where everyone in flight waits for more, and this one has come least far: it makes
    ///   room for the others when it is released.
    public func grow(by more: Int) async throws(StoreError) {
        try await gate.grow(bytes, by: more)
        room.add(more, ordering: .relaxed)
    }

    public func release() {
        let count = room.exchange(0, ordering: .acquiringAndReleasing)
        if count > 0 { gate.give(back: count) }
    }
}

final class AdmissionGate: Sendable {
    private typealias Continuation = UnsafeContinuation<Bool, Never>

    private struct State {
        var inFlight = 0
        /// Those with nothing in flight, in line.
        var waiting: [(bytes: Int, continuation: Continuation)] = []
        /// Those who want more than they have. They go before those with nothing.
        var growing: [(held: Int, more: Int, continuation: Continuation)] = []
        var isClosed = false

        /// Takes in so many bytes if they need not wait. More than the whole bound is let in when nothing
        /// else is in flight.
        mutating func takeIn(_ bytes: Int, bound: Int) -> Bool {
            guard !isClosed, waiting.isEmpty, growing.isEmpty, inFlight == 0 || inFlight + bytes <= bound else {
                return false
            }
            inFlight += bytes
            return true
        }

        /// Who waits no longer, and whether there is room for them.
        mutating func settle(bound: Int) -> [(Continuation, Bool)] {
            var settled: [(Continuation, Bool)] = []
            while let most = growing.indices.max(by: { growing[$0].held < growing[$1].held }) {
                let (held, more, continuation) = growing[most]
                guard inFlight + more <= bound || inFlight == held else { break }
                inFlight += more
                growing.remove(at: most)
                settled.append((continuation, true))
            }
            // Where all wait nobody gives anything back; the one with the least has least to send again.
            if let least = growing.indices.min(by: { growing[$0].held < growing[$1].held }),
                growing.reduce(0, { $0 + $1.held }) == inFlight
            {
                settled.append((growing.remove(at: least).continuation, false))
            }
            while growing.isEmpty, let first = waiting.first, inFlight == 0 || inFlight + first.bytes <= bound {
                inFlight += first.bytes
                waiting.removeFirst()
                settled.append((first.continuation, true))
            }
            return settled
        }
    }

    private let state = Mutex(State())
    private let bound: Int

    init(bound: Int = Bounds.inFlightBytes) { self.bound = bound }

    var bytesInFlight: Int { state.withLock { $0.inFlight } }
    /// Those who wait in line.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Waits in line for room.
    func admit(_ bytes: Int) async throws(StoreError) -> Admission {
        let isIn = await withUnsafeContinuation { (continuation: Continuation) in
            let entered: Bool? = state.withLock { state in
                if state.takeIn(bytes, bound: bound) { return true }
                guard !state.isClosed, state.waiting.count < Bounds.waitingAppends else { return false }
                state.waiting.append((bytes, continuation))
                return nil
            }
            if let entered { continuation.resume(returning: entered) }
        }
        guard isIn else { throw refusal }
        return Admission(bytes, self)
    }

    /// `nil` where there is no room without waiting.
    func admitNow(_ bytes: Int) -> Admission? {
        state.withLock { $0.takeIn(bytes, bound: bound) } ? Admission(bytes, self) : nil
    }

    fileprivate func grow(_ held: Int, by more: Int) async throws(StoreError) {
        let hasGrown = await withUnsafeContinuation { (continuation: Continuation) in
            change { state in
                guard !state.isClosed else { return [(continuation, false)] }
                state.growing.append((held, more, continuation))
                return []
            }
        }
        guard hasGrown else { throw refusal }
    }

    fileprivate func give(back bytes: Int) {
        change { state in
            state.inFlight -= bytes
            return []
        }
    }

    /// Refuses whoever waits, and whoever comes.
    func close() {
        change { state in
            state.isClosed = true
            defer { (state.waiting, state.growing) = ([], []) }
            return (state.waiting.map(\.continuation) + state.growing.map(\.continuation)).map { ($0, false) }
        }
    }

    /// - Parameter body: returns who waits no longer, besides those for whom there is room now.
    private func change(_ body: (inout State) -> [(Continuation, Bool)]) {
        let settled = state.withLock { state in
            let answered = body(&state)
            return answered + state.settle(bound: bound)
        }
        for (continuation, isIn) in settled { continuation.resume(returning: isIn) }
    }

    private var refusal: StoreError { state.withLock { $0.isClosed } ? .closed : .busy }
}
