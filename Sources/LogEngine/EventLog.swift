import SegmentFormat
import Synchronization

/// Told what became of an append, once it is durable or refused.
public typealias AppendCompletion = @Sendable (Result<AppendOutcome, StoreError>) -> Void

/// The log of one stream, open for writing. Appends may come from any task; each returns when its
/// events are durable. Reading goes through snapshots and never waits for a writer.
public final class EventLog: Sendable {
    public let report: OpenReport
    public let store: StoreID
    public let resolution: Resolution
    /// Keys the hashes that recognise deliveries; whoever appends makes them.
    public let deliverySecret: Hash128
    private let committer: Committer
    private let admissions = AdmissionGate()
    private let board: SnapshotBoard
    private let room: WriteRoom
    private let lock: any DiskFile
    let layout: Layout
    let environment: Environment
    let reserveBytes: UInt64
    let keys: StreamKeys?
    /// Only one job at a time takes segments out of the store.
    let gate = RewriteGate()
    let kept = KeptView()
    /// What is done with the events of this data directory is recorded there.
    public let audit: AuditTrail
    /// Closed with this log; `nil` where it is another's.
    private let ownAudit: AuditTrail?

    /// Opens the store of a stream below `directory` as its one writer, and recovers it if its last
    /// writer was cut off. Makes the store where there is none.
    ///
    /// - Parameter audit: that of another log of the directory, which is closed after this one: two trails would
    ///   keep each other out.
    public static func open(
        _ directory: String, options: LogOptions, environment: Environment, audit: AuditTrail? = nil
    ) throws(StoreError) -> EventLog {
        let opened = try StoreOpener.open(directory, options, environment)
        do throws(StoreError) {
            let writer = LogWriter(opened, options: options, environment: environment)
            return try EventLog(writer, opened, environment, options, audit)
        } catch {
            opened.lock.close()
            throw error
        }
    }

    private init(
        _ writer: LogWriter, _ opened: OpenedStore, _ environment: Environment, _ options: LogOptions,
        _ sharedAudit: AuditTrail?
    ) throws(StoreError) {
        report = opened.report
        layout = opened.layout
        self.environment = environment
        audit = sharedAudit ?? AuditTrail(directory: layout.data, environment: environment)
        ownAudit = sharedAudit == nil ? audit : nil
        reserveBytes = options.reserveBytes
        keys = options.keys
        store = writer.manifest.store
        resolution = writer.manifest.resolution
        deliverySecret = writer.manifest.deliverySecret
        room = writer.room.free
        lock = opened.lock
        let board = SnapshotBoard(writer.snapshot)
        self.board = board
        committer = try Committer(writer) { board.publish($0, failure: $1) }
    }

    var disk: any Disk { environment.disk }

    /// Events before it are purged.
    public var horizon: Bucket { snapshot().horizon }

    /// Waits until `bytes` raw bytes may be taken in. `busy` where too many wait already.
    public func admit(_ bytes: Int) async throws(StoreError) -> Admission {
        if let failure = board.failure { throw .poisoned(by: failure) }
        return try await admissions.admit(bytes)
    }

    /// The same for those who cannot wait: `nil` where `admit` would wait or throw.
    public func admitNow(_ bytes: Int) -> Admission? {
        board.failure == nil ? admissions.admitNow(bytes) : nil
    }

    /// Stores a batch, all of it or nothing; returns once it is durable. A delivery that came before
    /// is not stored again and gets its first answer.
    public func append(_ batch: LineBatch, delivery: Delivery?) async throws(StoreError) -> AppendOutcome {
        let result = await withUnsafeContinuation { continuation in
            append(batch, delivery: delivery) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// The same without a task. `completion` is called once: on the committer's thread, which must not
    /// be held up, or, where the batch is refused unseen, before this returns.
    public func append(_ batch: LineBatch, delivery: Delivery?, completion: @escaping AppendCompletion) {
        if let refusal = Self.refusal(of: batch) { return completion(.failure(refusal)) }
        committer.append(PendingAppend(batch, delivery: delivery), completion: completion)
    }

    /// `body` runs after the completions of each commit, on the committer's thread, which it must not hold up.
    public func afterEachCommit(_ body: @escaping @Sendable () -> Void) { committer.afterEachCommit(body) }

    private static func refusal(of batch: LineBatch) -> StoreError? {
        guard batch.byteCount <= Bounds.batchBytes + Bounds.batchLines else {
            return .tooLarge("a batch holds at most \(Bounds.batchBytes) bytes")
        }
        guard batch.lineCount <= Bounds.batchLines else {
            return .tooLarge("a batch holds at most \(Bounds.batchLines) events")
        }
        guard batch.longestLine <= Bounds.lineBytes + 1 else {
            return .tooLarge("a line holds at most \(Bounds.lineBytes) bytes")
        }
        return batch.latest < .latest ? nil : .badArgument("an event is too far in the future")
    }

    /// Everything that is durable now.
    public func snapshot() -> LogSnapshot { board.snapshot }

    /// Waits for events above `sequence`; `nil` once following has ended or the task is cancelled.
    public func snapshot(after sequence: Sequence) async -> LogSnapshot? {
        await board.snapshot(after: sequence)
    }

    /// Ends every wait in `snapshot(after:)`, for good.
    public func stopFollowing() { board.stopFollowing() }

    /// Seals the active segment and returns it, or `nil` where it is empty.
    @discardableResult
    public func seal() async throws(StoreError) -> SegmentSummary? {
        try await perform { (writer) throws(StoreError) in
            let active = writer.snapshot.active?.segment.number
            try writer.seal(force: true)
            return writer.snapshot.segments.last { $0.isSealed && $0.number == active }
        }
    }

    /// Runs `body` on the committer's thread, between two commits.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (LogWriter) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = await withUnsafeContinuation { continuation in
            committer.perform(body) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// The same for the thread of a job, which blocks.
    func performAndWait<Value: Sendable>(
        _ body: @escaping @Sendable (LogWriter) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        let answer = Answer<Result<Value, StoreError>>()
        committer.perform(body) { answer.give($0) }
        return try answer.wait().get()
    }

    /// Of the file system; `nil` where it cannot be asked.
    func freeBytes() -> UInt64? { try? disk.freeBytes(at: layout.root) }

    /// Makes durable what waits, records how far the log goes, and gives up the lock. The log is closed
    /// afterwards even if this throws.
    public func close() async throws(StoreError) {
        stopTaking()
        // The trail first: it is this log's lock that guards it.
        var failure: StoreError?
        do throws(StoreError) { try await ownAudit?.close() } catch { failure = error }
        try await withUnsafeContinuation { continuation in
            committer.close { continuation.resume(returning: $0) }
        }.get()
        if let failure { throw failure }
    }

    /// The same for a thread that may block.
    func closeAndWait() throws(StoreError) {
        stopTaking()
        let audited = Result { () throws(StoreError) in try ownAudit?.closeAndWait() }
        let answer = Answer<Result<Void, StoreError>>()
        committer.close { answer.give($0) }
        try answer.wait().get()
        try audited.get()
    }

    private func stopTaking() {
        admissions.close()
        board.stopFollowing()
    }

    /// Nanoseconds of a clock that nobody sets, since any moment.
    public func uptime() -> UInt64 { environment.uptime() }

    /// Has `observer` told of each commit that made something durable, in place of the one before. It is
    /// called on the committer's thread, which must not be held up, before those who appended hear of it.
    public func observeCommits(_ observer: @escaping @Sendable (CommitReport) -> Void) {
        committer.observe(observer)
    }

    public var health: LogHealth {
        LogHealth(
            failure: board.failure, freeBytes: freeBytes(), leastFreeBytes: room.leastFree,
            bytesInFlight: admissions.bytesInFlight, appendsBeforeAdmission: admissions.waiting,
            appendsBeforeCommit: committer.waitingAppends, committerNanoseconds: committer.busyNanoseconds,
            appendsWithoutRoom: room.refusals)
    }

    /// Whether `LOCK` is still the file whose lock was taken when the log was opened: else another process can
    /// take this store for nobody's. Not to be asked of a closed log.
    public var holdsLock: Bool {
        let isNamed = Result { () throws(StoreError) in
            try attempt("look at", layout.lock) { () throws(SystemFault) in try lock.isNamed(layout.lock) }
        }
        return (try? isNamed.get()) ?? false
    }
}

/// The newest snapshot, and those who wait for a newer one.
private final class SnapshotBoard: Sendable {
    private struct State {
        var snapshot: LogSnapshot
        var failure: StoreError?
        var hasEnded = false
        var followers: [UInt64: (after: Sequence, continuation: UnsafeContinuation<LogSnapshot?, Never>)] = [:]
        var nextFollower: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    init(_ snapshot: LogSnapshot) { state = Mutex(State(snapshot: snapshot)) }

    var snapshot: LogSnapshot { state.withLock { $0.snapshot } }
    var failure: StoreError? { state.withLock { $0.failure } }

    func publish(_ snapshot: LogSnapshot, failure: StoreError?) {
        let ready = state.withLock { state in
            state.snapshot = snapshot
            state.failure = failure
            guard !state.followers.isEmpty else { return [UnsafeContinuation<LogSnapshot?, Never>]() }
            let ready = state.followers.filter { $0.value.after < snapshot.lastSequence }
            for number in ready.keys { state.followers[number] = nil }
            return ready.values.map(\.continuation)
        }
        for continuation in ready { continuation.resume(returning: snapshot) }
    }

    func snapshot(after sequence: Sequence) async -> LogSnapshot? {
        let number = state.withLock { state in
            state.nextFollower += 1
            return state.nextFollower
        }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let answer: LogSnapshot?? = state.withLock { state in
                    if state.hasEnded || state.cancelled.remove(number) != nil { return .some(nil) }
                    if state.snapshot.lastSequence > sequence { return .some(state.snapshot) }
                    state.followers[number] = (sequence, continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                guard let follower = state.followers.removeValue(forKey: number) else {
                    state.cancelled.insert(number)
                    return UnsafeContinuation<LogSnapshot?, Never>?.none
                }
                return follower.continuation
            }
            waiting?.resume(returning: nil)
        }
    }

    func stopFollowing() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            defer { state.followers = [:] }
            return state.followers.values.map(\.continuation)
        }
        for continuation in waiting { continuation.resume(returning: nil) }
    }
}
