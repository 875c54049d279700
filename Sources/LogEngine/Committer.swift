import Glibc
import Synchronization

// The driver of the commit queue: one thread, because a sync must never block an executor.

final class Committer: @unchecked Sendable {
    enum Waiter {
        case append(AppendCompletion)
        /// Runs on the committer's thread, and returns how its caller is told once the snapshot is published.
        case task(@Sendable (LogWriter) -> @Sendable () -> Void)
        case close(@Sendable (Result<Void, StoreError>) -> Void)
    }

    /// A closure in a generic type is wrapped anew each time it is taken out, and every wrapper stays.
    private struct Observer {
        let tell: @Sendable (CommitReport) -> Void
    }

    /// Touched by the committer's thread alone once it runs.
    private let writer: LogWriter
    private let queue = Mutex(CommitQueue<Waiter>())
    private var alarm: Alarm { writer.alarm }
    private let followUps = Mutex<[@Sendable () -> Void]>([])
    private let publish: @Sendable (LogSnapshot, StoreError?) -> Void
    private let observer = Mutex<Observer?>(nil)
    private let uptime: @Sendable () -> UInt64
    /// Since when it has been at what it does now, by `uptime`; 0 while it sleeps.
    private let busySince = Atomic<UInt64>(0)

    /// Starts the thread. `publish` is called on it after each commit, seal and failure, before the
    /// writers hear of it.
    init(_ writer: LogWriter, publish: @escaping @Sendable (LogSnapshot, StoreError?) -> Void) throws(StoreError) {
        self.writer = writer
        self.publish = publish
        uptime = writer.environment.uptime
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Committer>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        guard code == 0 else {
            retained.release()
            throw .disk(SystemFault(code), "start a thread for", "the committer")
        }
        pthread_detach(thread)
    }

    /// Appends that no commit has taken yet.
    var waitingAppends: Int { queue.withLock { $0.waitingAppends } }

    /// How long it has been at what it does now; 0 while it sleeps.
    var busyNanoseconds: UInt64 {
        let since = busySince.load(ordering: .relaxed)
        let now = uptime()
        return since == 0 ? 0 : now - min(since, now)
    }

    /// `body` is called on the committer's thread after each commit that made something durable, before the
    /// writers hear of it; it takes the place of the one before.
    func observe(_ body: @escaping @Sendable (CommitReport) -> Void) {
        observer.withLock { $0 = Observer(tell: body) }
    }

    func append(_ append: PendingAppend, completion: @escaping AppendCompletion) {
        let wakes = queue.withLock { $0.enqueue(.init(append: append, waiter: .append(completion))) }
        if wakes == nil { completion(.failure(.closed)) }
        if wakes == true { alarm.ring() }
    }

    func afterEachCommit(_ body: @escaping @Sendable () -> Void) { followUps.withLock { $0.append(body) } }

    /// Runs `body` between two commits. `completion` is called on the committer's thread, or, where the log
    /// is closed, before this returns.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (LogWriter) throws(StoreError) -> Value,
        completion: @escaping @Sendable (Result<Value, StoreError>) -> Void
    ) {
        let wakes = queue.withLock {
            $0.enqueueTask(
                .task { writer in
                    let result = Result { () throws(StoreError) in try body(writer) }
                    return { completion(result) }
                })
        }
        if wakes == nil { completion(.failure(.closed)) }
        if wakes == true { alarm.ring() }
    }

    /// `completion` is called as that of `perform` is.
    func close(completion: @escaping @Sendable (Result<Void, StoreError>) -> Void) {
        let wakes = queue.withLock { $0.close(.close(completion)) }
        if wakes == nil { completion(.failure(.closed)) }
        if wakes == true { alarm.ring() }
    }

    private func run() {
        while true {
            // Where the committer shares its core with those who append, their batches join the next
            // commit; elsewhere it costs a microsecond.
            sched_yield()
            switch queue.withLock({ $0.next() }) {
            case .commit(let items):
                begin()
                commit(items)
            case .task(let waiter):
                begin()
                perform(waiter)
            case .close(let waiter):
                close(waiter)
                return
            case .sleep:
                bury()
                busySince.store(0, ordering: .relaxed)
                alarm.wait(atMost: writer.millisecondsUntilDue)
                queue.withLock { $0.awoke() }
                sealIfDue()
            }
        }
    }

    private func begin() { busySince.store(max(uptime(), 1), ordering: .relaxed) }

    private func commit(_ items: [CommitQueue<Waiter>.Item]) {
        let answers = writer.commit(items.map(\.append))
        if let report = writer.report { observer.withLock { $0 }?.tell(report) }
        publish(writer.snapshot, writer.poison)
        for (item, answer) in zip(items, answers) {
            guard case .append(let completion) = item.waiter else { continue }
            completion(answer)
        }
        for followUp in followUps.withLock({ $0 }) { followUp() }
    }

    private func perform(_ waiter: Waiter) {
        guard case .task(let work) = waiter else { return }
        let tell = work(writer)
        publish(writer.snapshot, writer.poison)
        bury()
        tell()
    }

    /// Files that could not be removed now are tried again when others come, and by the next open.
    private func bury() {
        guard !writer.graveyard.isEmpty else { return }
        _ = Result { () throws(StoreError) in try writer.graveyard.empty() }
    }

    /// A seal that nobody asked for has nobody to tell; what poisons the log is published.
    private func sealIfDue() {
        guard writer.millisecondsUntilDue == 0 else { return }
        _ = Result { () throws(StoreError) in try writer.seal(force: false) }
        publish(writer.snapshot, writer.poison)
    }

    private func close(_ waiter: Waiter) {
        let result = Result { () throws(StoreError) in try writer.close() }
        guard case .close(let tell) = waiter else { return }
        tell(result)
    }
}
