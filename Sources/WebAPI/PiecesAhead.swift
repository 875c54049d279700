import NIOCore
import NIOPosix
import Synchronization

// The next pieces are made on the blocking pool while one is on its way to the client. Each is a job of its own
// there, so that many answers take turns.

/// Makes the pieces of an answer one after another, in order, at most `most` before they are asked for.
final class PiecesAhead: Sendable {
    /// Makes the next piece, `nil` at the end. Never called twice at a time, nor again behind the end or a failure.
    typealias Make = @Sendable () throws -> ByteBuffer?

    private struct State {
        var ready: [Result<ByteBuffer?, any Error>] = []
        var waiting: CheckedContinuation<ByteBuffer?, any Error>?
        var isMaking = false
        var isOver = false

        /// Whether another piece is to be begun now.
        mutating func begins(hasRoom: Bool) -> Bool {
            guard hasRoom, !isMaking, !isOver else { return false }
            isMaking = true
            return true
        }
    }

    private let state = Mutex(State())
    private let blocking: NIOThreadPool
    private let most: @Sendable () -> Int
    private let make: Make

    /// `most` is asked behind each piece.
    init(on blocking: NIOThreadPool, most: @escaping @Sendable () -> Int, make: @escaping Make) {
        self.blocking = blocking
        self.most = most
        self.make = make
    }

    /// The next piece, `nil` at the end. What failed is thrown behind the pieces before it. Not to be called
    /// again behind either.
    func next() async throws -> ByteBuffer? {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<ByteBuffer?, any Error>) in
            let (found, starts) = state.withLock { state in
                let found = state.ready.isEmpty ? nil : state.ready.removeFirst()
                if found == nil { state.waiting = continuation }
                return (found, state.begins(hasRoom: true))
            }
            if starts { submit() }
            if let found { continuation.resume(with: found) }
        }
    }

    /// Nothing more is asked for: no other piece is begun, and those that are ready are let go.
    func stop() {
        state.withLock { state in
            state.isOver = true
            state.ready = []
        }
    }

    private func submit() {
        blocking.submit { poolState in
            guard case .active = poolState else { return self.deliver(.failure(CancellationError()), most: 0) }
            let made = Result { try self.make() }
            self.deliver(made, most: self.most())
        }
    }

    private func deliver(_ made: Result<ByteBuffer?, any Error>, most: Int) {
        let (waiting, starts) = state.withLock { state in
            state.isMaking = false
            if case .success(.some) = made {} else { state.isOver = true }
            let waiting = state.waiting.take()
            if waiting == nil { state.ready.append(made) }
            return (waiting, state.begins(hasRoom: state.ready.count < most))
        }
        if starts { submit() }
        waiting?.resume(with: made)
    }
}
