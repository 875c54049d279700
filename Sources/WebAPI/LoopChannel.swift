import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

// Hummingbird handles each connection in a task on Swift's own threads, which is two changes of threads
// a request. Here the task runs on the connection's event loop, and a small request costs a fifth less
// (68 → 56 µs for a ping); and NIO's back-pressure, which a writer on another thread outruns by tens
// of MiB, is exact. What computes for long has to leave the loop: see `EventIntake`.

/// A connection whose handler runs on its event loop, if there is room for one more.
struct LoopChannel<Base: ServerChildChannel>: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        /// `nil` where it is refused.
        fileprivate let base: Base.Value?
        let channel: any Channel
    }

    private let base: Base
    private let executors: [ObjectIdentifier: LoopExecutor]
    private let room: ConnectionRoom

    init(_ base: Base, loops: MultiThreadedEventLoopGroup, room: ConnectionRoom) {
        self.base = base
        let pairs = loops.makeIterator().map { (ObjectIdentifier($0), LoopExecutor($0)) }
        executors = Dictionary(uniqueKeysWithValues: pairs)
        self.room = room
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard let refusal = room.refusal(of: channel) else {
            return base.setup(channel: channel, logger: logger).map { Value(base: $0, channel: channel) }
        }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(refusal)
            return Value(base: nil, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        guard let connection = value.base else { return }
        let executor = executors[ObjectIdentifier(value.channel.eventLoop)]
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(executor) {
                await base.handle(value: connection, logger: logger)
            }
        } onCancel: {
            // Hummingbird would close the client's side alone, and wait for one that reads nothing.
            value.channel.triggerUserOutboundEvent(ConnectionCut(), promise: nil)
            value.channel.close(promise: nil)
        }
    }
}

/// Lets in as many connections as there may be.
struct ConnectionRoom: Sendable {
    let count: ConnectionCount
    let counters: Counters
    /// `nil` where a client cannot be told in plain text.
    let date: HTTPDate?

    /// What refuses a connection that is one too many.
    func refusal(of channel: any Channel) -> RefusedConnection? {
        let entry = count.enter()
        channel.closeFuture.whenComplete { _ in count.leave() }
        guard case .refused(let isTold) = entry else {
            counters.beginConnection()
            channel.closeFuture.whenComplete { _ in counters.endConnection() }
            return nil
        }
        let problem = Problem.tooManyConnections
        counters.refuse(problem.reason, events: 0)
        guard isTold, let date else { return RefusedConnection(nil) }
        return RefusedConnection(RefusedConnection.answer(problem, date: date.now))
    }
}

private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
