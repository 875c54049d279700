import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

// Hummingbird handles each connection in a task on Swift's own threads, which is two changes of threads
// a request. Here the task runs on the connection's event loop, and a small request costs a fifth less
// (68 → 56 µs for a ping); and NIO's back-pressure, which a writer on another thread outruns by tens
// of MiB, is exact. What computes for long has to leave the loop: see `EventIntake`.

/// An HTTP/1.1 connection whose handler runs on its event loop.
struct LoopChannel: ServerChildChannel {
    private let base: HTTP1Channel
    private let executors: [ObjectIdentifier: LoopExecutor]

    init(_ base: HTTP1Channel, loops: MultiThreadedEventLoopGroup) {
        self.base = base
        let pairs = loops.makeIterator().map { (ObjectIdentifier($0), LoopExecutor($0)) }
        executors = Dictionary(uniqueKeysWithValues: pairs)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        let executor = executors[ObjectIdentifier(value.channel.eventLoop)]
        await withTaskExecutorPreference(executor) {
            await base.handle(value: value, logger: logger)
        }
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
