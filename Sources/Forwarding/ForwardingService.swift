import LogEngine
import NIOPosix
import SegmentFormat
import Synchronization

// Does what the forwarder says, and tells it what came of it. Everything that waits or blocks is a task of its own;
// the forwarder is told in one place, one thing at a time.

/// Forwards the events of a spool to storage servers.
public final class ForwardingService: Sendable {
    public struct Options: Sendable {
        /// The first that is well is used.
        public var servers: [ServerName]
        public var storage = StorageOptions()
        public var policy = ForwardingPolicy()
        public var bounds = SpoolBounds()

        public init(servers: [ServerName]) { self.servers = servers }
    }

    enum Input: Sendable {
        case event(Forwarder.Event)
        case reassign(ServerName, @Sendable (Result<Int, Forwarder.ReassignmentFault>) -> Void)
        case end
    }

    struct State {
        var forwarder: Forwarder
        /// Of batches that are not settled, by first sequence.
        var contents: [Sequence: SpoolReader.Content] = [:]
        var wakeTime: Int64?
        /// A release is under way; what it is to go on with afterwards.
        var isReleasing = false
        var releasable: Sequence?
        var failure: String?
        /// Servers that were told to have failed.
        var failing: Set<ServerName> = []
        var awaitingDrain: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    let log: EventLog
    let options: Options
    private let note: DurableNote
    private let client: StorageClient
    private let source: String
    private let environment: Environment
    private let start = ContinuousClock.now
    let state: Mutex<State>
    private let inputs: AsyncStream<Input>
    private let input: AsyncStream<Input>.Continuation
    private let blocking: NIOThreadPool
    private let full = Atomic(false)
    private let say: @Sendable (String) -> Void

    /// How often the spool is looked at, at most.
    private static let look = Duration.milliseconds(5)

    /// - Parameters:
    ///   - spool: its log stays open when forwarding ends; it belongs to the caller.
    ///   - say: takes a line for who runs the process.
    public init(
        _ spool: Spool, _ options: Options, _ environment: Environment, say: @escaping @Sendable (String) -> Void
    ) {
        log = spool.log
        note = spool.note
        client = StorageClient(options.storage)
        source = spool.record.spool.value.hex
        self.options = options
        self.environment = environment
        self.say = say
        let forwarder = Forwarder(
            spool.record, servers: options.servers, policy: options.policy,
            available: spool.log.snapshot().lastSequence,
            resolution: spool.log.resolution, seed: environment.random(),
            at: Moment(ticks: 0, wall: environment.now()))
        state = Mutex(State(forwarder: forwarder))
        (inputs, input) = AsyncStream<Input>.makeStream()
        blocking = NIOThreadPool(numberOfThreads: 2)
        noteFullness()
    }

    /// The spool takes no more (SPEC Z10).
    public var isFull: Bool { full.load(ordering: .relaxed) }

    private var moment: Moment { Moment(ticks: ticks, wall: environment.now()) }

    var ticks: Int64 { Int64((ContinuousClock.now - start) / .milliseconds(1)) }

    // MARK: - Running

    /// Forwards until `end()`. What is under way then is given up: it is on record.
    public func run() async throws {
        blocking.start()
        input.yield(.event(.time))
        await withDiscardingTaskGroup { group in
            group.addTask { await self.follow() }
            for await input in inputs {
                guard take(input, &group) else { break }
            }
            group.cancelAll()
        }
        finishWaiters()
        try await client.shutdown()
        try await blocking.shutdownGracefully()
    }

    public func end() { input.yield(.end) }

    private func follow() async {
        var last = log.snapshot().lastSequence
        input.yield(.event(.available(through: last)))
        while let snapshot = await log.snapshot(after: last) {
            last = snapshot.lastSequence
            input.yield(.event(.available(through: last)))
            do { try await Task.sleep(for: Self.look) } catch { return }
        }
    }

    /// `false` at the end.
    private func take(_ input: Input, _ group: inout DiscardingTaskGroup) -> Bool {
        let actions: [Forwarder.Action]
        switch input {
        case .end: return false
        case .event(let event): actions = state.withLock { $0.forwarder.handle(event, at: moment) }
        case .reassign(let server, let answer):
            let result = state.withLock { state in
                Result { () throws(Forwarder.ReassignmentFault) in try state.forwarder.reassign(server, at: moment) }
            }
            answer(result.map(\.events))
            guard case .success(let (_, next)) = result else { return true }
            actions = next
        }
        for action in actions { start(action, &group) }
        dropContents()
        tellOfServers()
        noteFullness()
        wake(&group)
        if state.withLock({ isDrained($0) }) { finishWaiters() }
        return true
    }

    private func wake(_ group: inout DiscardingTaskGroup) {
        let now = moment.ticks
        let wait: Int64? = state.withLock { state in
            guard let time = state.forwarder.wakeTime else { return nil }
            if let armed = state.wakeTime, armed <= time, armed > now { return nil }
            state.wakeTime = time
            return max(time - now, 1)
        }
        guard let wait else { return }
        group.addTask {
            do { try await Task.sleep(for: .milliseconds(wait)) } catch { return }
            self.input.yield(.event(.time))
        }
    }

    // MARK: - Actions

    private func start(_ action: Forwarder.Action, _ group: inout DiscardingTaskGroup) {
        switch action {
        case .cut(let after): group.addTask { await self.cut(after) }
        case .save(let record, let generation): group.addTask { await self.save(record, generation) }
        case .send(let shipment): group.addTask { await self.send(shipment) }
        case .release(let through): release(through, &group)
        }
    }

    private func cut(_ after: Sequence) async {
        let reader = SpoolReader(log: log)
        let policy = options.policy
        await attempt("read the spool") {
            let found = try await self.blocking.runIfActive { try reader.cut(after: after, policy) }
            if let found { self.state.withLock { $0.contents[found.stretch.first] = found.content } }
            return .cut(found?.stretch)
        }
    }

    private func save(_ record: ForwardingRecord, _ generation: UInt64) async {
        await attempt("write the record of what was sent") {
            try await self.blocking.runIfActive { try self.note.replace(with: record.json) }
            return .saved(generation: generation)
        }
    }

    private func send(_ shipment: Shipment) async {
        await attempt("read the spool") {
            let content = try await self.content(of: shipment.stretch)
            let answer = await self.client.send(shipment, content, from: self.source)
            return .answered(shipment.binding.server, number: shipment.binding.number, answer)
        }
    }

    private func content(of stretch: Stretch) async throws -> SpoolReader.Content {
        if let content = state.withLock({ $0.contents[stretch.first] }) { return content }
        let reader = SpoolReader(log: log)
        let content = try await blocking.runIfActive { try reader.content(of: stretch) }
        if content.withUnsafeBytes({ xxh3Wide($0) }) != stretch.digest {
            say("the spool is damaged: of a batch of \(stretch.events) events only what can be read is sent")
        }
        state.withLock { $0.contents[stretch.first] = content }
        return content
    }

    /// What fails here keeps failing until somebody looks: nothing more is sent, and events go on to be taken.
    private func attempt(_ what: String, _ body: () async throws -> Forwarder.Event) async {
        do {
            let event = try await body()
            input.yield(.event(event))
        } catch is CancellationError {
            // The service has ended.
        } catch {
            state.withLock { $0.failure = "cannot \(what): \(error)" }
            say("cannot \(what): \(error); nothing is sent until the next start")
            finishWaiters()
        }
    }

    private func release(_ through: Sequence, _ group: inout DiscardingTaskGroup) {
        let begins = state.withLock { state in
            state.releasable = through
            defer { state.isReleasing = true }
            return !state.isReleasing
        }
        guard begins else { return }
        group.addTask {
            while let through = self.nextRelease() { await self.release(through) }
            self.noteFullness()
        }
    }

    private func nextRelease() -> Sequence? {
        state.withLock { state in
            defer { state.releasable = nil }
            state.isReleasing = state.releasable != nil
            return state.releasable
        }
    }

    private func release(_ through: Sequence) async {
        let isWorthIt = log.snapshot().segments.contains {
            $0.lines > 0 && $0.nextSequence <= through + 1 && ($0.isSealed || $0.storedBytes >= releasedBytes)
        }
        guard isWorthIt else { return }
        do throws(StoreError) {
            try await log.release(through: through, sealingFrom: releasedBytes)
        } catch {
            say("cannot release what was sent: \(error)")
        }
    }

    /// An active segment of so many bytes goes when all of it is sent; what is left never fills the spool.
    private var releasedBytes: UInt64 { min(1 << 20, options.bounds.bytes / 16) }

    /// Those of batches that are settled are not needed any more.
    private func dropContents() {
        state.withLock { state in
            let record = state.forwarder.record
            guard state.contents.count > record.batches.count else { return }
            let unsettled = Set(record.batches.map(\.stretch.first))
            state.contents = state.contents.filter { $0.key > record.cut || unsettled.contains($0.key) }
        }
    }

    // MARK: - Telling

    private func tellOfServers() {
        let lines = state.withLock { state -> [String] in
            var lines: [String] = []
            for lane in state.forwarder.lanes {
                if lane.failures > 0, state.failing.insert(lane.server).inserted {
                    lines.append("\(lane.server): \(lane.lastProblem ?? "it failed"); trying again until it does not")
                } else if lane.failures == 0, state.failing.remove(lane.server) != nil {
                    lines.append("\(lane.server): it answers again")
                }
            }
            return lines
        }
        for line in lines { say(line) }
    }

    private func noteFullness() {
        let age = state.withLock { $0.forwarder.age(at: ticks) }
        let isOld = options.bounds.ageMilliseconds.map { (age ?? 0) > $0 } ?? false
        full.store(isOld || log.snapshot().storedBytes >= options.bounds.bytes, ordering: .relaxed)
    }

    private func finishWaiters() {
        let waiters = state.withLock { state in
            defer { state.awaitingDrain = [:] }
            return state.awaitingDrain.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    func tell(_ event: Forwarder.Event) { input.yield(.event(event)) }
    func tell(_ reassignment: Input) { input.yield(reassignment) }
}
