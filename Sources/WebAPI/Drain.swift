import Synchronization

/// How a process that serves comes to its end: what is in flight may finish, and nothing more begins. All its listeners
/// share one, so that each says that it is about to end until the last of them has nothing to do.
public final class Drain: Sendable {
    /// How long answers may go on. What is longer then ends as incomplete, with a cursor.
    static let limit = Duration.seconds(20)

    private struct State {
        var inFlight = 0
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let stopping = Atomic<Bool>(false)
    /// By a clock that nobody sets, in nanoseconds.
    private let cutAt = Atomic<UInt64>(.max)

    public init() {}

    public var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Whether answers have to end now.
    func cuts(at now: UInt64) -> Bool { now >= cutAt.load(ordering: .relaxed) }

    /// To be followed by one `leave()`, unless this throws.
    func enter() throws(Problem) {
        state.withLock { $0.inFlight += 1 }
        guard isStopping else { return }
        leave()
        throw .stopping
    }

    func leave() {
        let waiting = state.withLock { state in
            state.inFlight -= 1
            return state.isOver || isStopping && state.inFlight == 0 ? Self.take(&state) : []
        }
        for continuation in waiting { continuation.resume() }
    }

    /// From here on nothing is let in.
    func begin(now: UInt64) {
        guard !stopping.exchange(true, ordering: .sequentiallyConsistent) else { return }
        cutAt.store(now + UInt64(Self.limit / .nanoseconds(1)), ordering: .relaxed)
    }

    /// Returns when nothing is in flight any more, or the limit is over. After `begin`.
    func finish() async {
        let timer = Task {
            try await Task.sleep(for: Self.limit)
            let waiting = state.withLock { state in
                state.isOver = true
                return Self.take(&state)
            }
            for continuation in waiting { continuation.resume() }
        }
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                let isDone = state.inFlight == 0 || state.isOver
                if !isDone { state.waiting.append(continuation) }
                return isDone
            }
            if isDone { continuation.resume() }
        }
        timer.cancel()
    }

    private static func take(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.waiting = [] }
        return state.waiting
    }
}
