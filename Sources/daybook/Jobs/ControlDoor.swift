import Glibc
import NIOCore
import Synchronization

/// Lets connections in, and passes on the jobs that they bring.
final class ControlDoor: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isShut = false
    }

    /// Ends when the door is shut.
    let jobs: AsyncStream<AcceptedJob>
    private let bring: AsyncStream<AcceptedJob>.Continuation
    private let limits: ControlLimits
    private let admits: @Sendable (uid_t) -> Bool
    /// Told of each user who is refused.
    private let onStranger: @Sendable (uid_t) -> Void
    private let state = Mutex(State())

    init(
        _ limits: ControlLimits, admits: @escaping @Sendable (uid_t) -> Bool,
        onStranger: @escaping @Sendable (uid_t) -> Void
    ) {
        (jobs, bring) = AsyncStream.makeStream()
        self.limits = limits
        self.admits = admits
        self.onStranger = onStranger
    }

    /// Makes a new connection one that may bring a job, or that is told why not.
    func enter(_ channel: any Channel) -> EventLoopFuture<Void> {
        Peer.user(of: channel).flatMapThrowing { user in
            let refusal = self.refusal(of: user, channel)
            let handler = ControlConnection(self.limits, refusal: refusal) { job in
                if case .enqueued = self.bring.yield(job) { true } else { false }
            }
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    }

    private func refusal(of user: uid_t, _ channel: any Channel) -> JobRefusal? {
        guard admits(user) else {
            onStranger(user)
            return .stranger
        }
        let refusal = state.withLock { state -> JobRefusal? in
            if state.isShut { return .shutDown }
            if state.channels.count >= limits.connections { return .crowded }
            state.channels[ObjectIdentifier(channel)] = channel
            return nil
        }
        if refusal == nil { channel.closeFuture.whenComplete { _ in self.leave(channel) } }
        return refusal
    }

    private func leave(_ channel: any Channel) {
        state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// No job begins any more; who is connected is told.
    func shut() {
        let channels = state.withLock { state in
            state.isShut = true
            return Array(state.channels.values)
        }
        bring.finish()
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ControlConnection.ShutDown()) }
    }

    /// Once all jobs have ended: waits until their answers are read, but not for long.
    func empty() async throws {
        for channel in state.withLock({ Array($0.channels.values) }) {
            let farewell = channel.eventLoop.scheduleTask(in: limits.farewellTime) { channel.close(promise: nil) }
            try await channel.closeFuture.get()
            farewell.cancel()
        }
    }
}
