import SegmentFormat

// Which events go where, and when: a value that is told what happened and says what to do next. It knows no
// files, sockets or clocks. The rules are SPEC §24; what they come to is that every event is stored by a server,
// and by one only, unless an operator decides otherwise.
//
// A server remembers of a source the highest number and its answer (P4). So at each server numbers rise, one
// batch is under way at a time, and one that the server may have is sent to it again, and to no other, before
// anything else is.

/// What is sent to which server, and when.
public struct Forwarder: Sendable {
    public private(set) var record: ForwardingRecord
    public let policy: ForwardingPolicy
    var lanes: [Lane]
    private var backoff: Backoff
    private var marks = ArrivalMarks()
    private var now: Moment
    /// Events up to here are in the spool.
    public private(set) var available: Sequence
    /// A cut is under way, and will see events up to here.
    private var cutting: Sequence?
    private var refusals = Refusals()
    public private(set) var isDraining = false
    private var saves = SaveOrder()
    private var released: Sequence
    private let resolution: Resolution
    /// Where a new epoch comes from.
    private var nextEpoch: UInt64

    /// - Parameters:
    ///   - record: as it was saved last. What it binds to a server may have reached that.
    ///   - servers: the first that is well is used.
    ///   - available: what is durable in the spool.
    ///   - resolution: times that are saved are floored to it.
    ///   - seed: of the pauses, and of an epoch that may become necessary: random, but in tests.
    public init(
        _ record: ForwardingRecord, servers: [ServerName], policy: ForwardingPolicy, available: Sequence,
        resolution: Resolution, seed: UInt64, at moment: Moment
    ) {
        self.record = record
        self.policy = policy
        self.available = max(available, record.cut)
        self.resolution = resolution
        lanes = servers.map(Lane.init)
        backoff = Backoff(policy, seed: seed)
        nextEpoch = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        now = moment
        released = record.sentThrough
        for batch in record.batches {
            guard let binding = batch.binding, let lane = lane(to: binding.server) else { continue }
            lanes[lane].phase = .unknown(number: binding.number)
        }
        if self.available > record.sentThrough {
            let waited = record.waitingSince.map { moment.wall > $0 ? moment.wall - $0 : 0 } ?? 0
            marks.note(above: record.sentThrough, at: moment.ticks - Int64(clamping: waited))
        }
    }

    /// What is to be done now that this has happened.
    public mutating func handle(_ event: Event, at moment: Moment) -> [Action] {
        now = moment
        var actions: [Action] = []
        switch event {
        case .available(let through):
            guard through > available else { break }
            marks.note(above: available, at: now.ticks)
            available = through
        case .cut(let stretch): takeCut(stretch)
        case .saved(let generation): takeSaved(generation, &actions)
        case .answered(let server, let number, let answer): take(answer, from: server, number)
        case .time: break
        case .retry:
            for lane in lanes.indices { lanes[lane].notBefore = .min }
            refusals.dropAll()
        case .drain(let drains): isDraining = drains
        }
        advance(&actions)
        return actions
    }

    // MARK: - What happened

    private mutating func takeCut(_ stretch: Stretch?) {
        guard let reach = cutting else { return }
        cutting = nil
        saves.change(at: now.ticks)
        guard let stretch else {
            // Sequences that name no event: behind them a crash has left a gap, or the events were damaged.
            record.cut = max(record.cut, reach)
            return
        }
        record.batches.append(Batch(stretch: stretch))
        record.cut = stretch.last
        available = max(available, record.cut)
    }

    private mutating func takeSaved(_ generation: UInt64, _ actions: inout [Action]) {
        guard let sentThrough = saves.finish(generation) else { return }
        for lane in lanes.indices {
            guard case .recording(let number, let wanted) = lanes[lane].phase, wanted <= generation else { continue }
            send(number, on: lane, isRepeat: false, &actions)
        }
        guard sentThrough > released else { return }
        released = sentThrough
        marks.drop(through: sentThrough)
        actions.append(.release(through: sentThrough))
    }

    private mutating func take(_ answer: ShipmentAnswer, from server: ServerName, _ number: UInt64) {
        guard let lane = lane(to: server), case .sending(number, let isRepeat, _) = lanes[lane].phase else { return }
        lanes[lane].phase = .idle
        // A batch that was reassigned meanwhile is not this server's any more.
        let batch = record.indexOfBatch(boundTo: server, number)
        switch answer {
        case .stored(let receipt):
            lanes[lane].succeed()
            if let batch { settle(batch, receipt) }
        case .refused(let refusal):
            // It says nothing of the first time.
            if isRepeat {
                fail(lane, refusal.reason, after: refusal.retryAfterMilliseconds)
                if batch != nil { lanes[lane].phase = .unknown(number: number) }
            } else {
                refuse(lane, batch, refusal)
            }
        case .unknown(let reason):
            fail(lane, reason)
            if batch != nil { lanes[lane].phase = .unknown(number: number) }
        }
    }

    private mutating func refuse(_ lane: Int, _ batch: Int?, _ refusal: ShipmentAnswer.Refusal) {
        if refusal.cause == .server { fail(lane, refusal.reason, after: refusal.retryAfterMilliseconds) }
        guard let batch else { return }
        record.batches[batch].binding = nil
        saves.change(at: now.ticks)
        guard refusal.cause == .batch else { return }
        lanes[lane].lastProblem = refusal.reason
        refusals.add(record.batches[batch].stretch.first, at: now.ticks, &backoff)
    }

    private mutating func fail(_ lane: Int, _ problem: String, after wanted: Int64? = nil) {
        let pause = backoff.pause(failures: lanes[lane].failures + 1)
        let asked = min(wanted ?? 0, policy.longestRetryAfterMilliseconds)
        lanes[lane].fail(problem, until: now.ticks + max(pause, asked))
    }

    private mutating func settle(_ index: Int, _ receipt: ShipmentAnswer.Receipt?) {
        let batch = record.batches[index]
        let events = UInt64(batch.stretch.events)
        // No more than were sent, whatever it says.
        let accepted = receipt.map { min(UInt64(clamping: $0.accepted), events) } ?? events
        let discarded = receipt.map { min(UInt64(clamping: $0.discarded), events - accepted) } ?? 0
        saves.change(at: now.ticks)
        if accepted + discarded < events, !batch.isDisputed {
            record.dispute(index, epoch: nextEpoch)
            nextEpoch = nextEpoch &* 0x9E37_79B9_7F4A_7C15 ^ record.nextNumber | 1
        } else {
            record.settle(index, accepted: accepted, discarded: discarded)
            refusals.drop(batch.stretch.first)
        }
    }

    private func lane(to server: ServerName) -> Int? { lanes.firstIndex { $0.server == server } }

    // MARK: - What is next

    private mutating func advance(_ actions: inout [Action]) {
        for lane in lanes.indices {
            guard case .unknown(let number) = lanes[lane].phase, lanes[lane].notBefore <= now.ticks else { continue }
            send(number, on: lane, isRepeat: true, &actions)
        }
        while let lane = readyLane {
            guard let batch = dueBatch else {
                if wantsCut {
                    cutting = available
                    actions.append(.cut(after: record.cut))
                }
                break
            }
            bind(batch, to: lane)
        }
        save(&actions)
    }

    /// The first server that is well, if it has nothing to do; one that is not well gets a batch when its
    /// pause is over, to see whether it is now.
    private var readyLane: Int? {
        for (index, lane) in lanes.enumerated() {
            if lane.phase == .idle, lane.notBefore <= now.ticks { return index }
            if lane.isHealthy(at: now.ticks, policy) { return nil }
        }
        return nil
    }

    /// The oldest batch that no server has and that may be sent.
    private var dueBatch: Int? {
        record.batches.firstIndex { batch in
            batch.binding == nil && refusals.allows(batch.stretch.first, at: now.ticks)
        }
    }

    private var wantsCut: Bool {
        guard cutting == nil, available > record.cut, refusals.count < policy.refusedBatches else { return false }
        if isDraining || available.value - record.cut.value >= UInt64(policy.batchEvents) { return true }
        return cutDue.map { $0 <= now.ticks } ?? true
    }

    /// When the oldest event that is in no batch has waited long enough.
    private var cutDue: Int64? {
        marks.arrival(behind: record.cut).map { $0 + policy.batchMilliseconds }
    }

    private mutating func bind(_ batch: Int, to lane: Int) {
        let number = record.nextNumber
        record.nextNumber += 1
        record.batches[batch].binding = Binding(server: lanes[lane].server, epoch: record.epoch, number: number)
        lanes[lane].phase = .recording(number: number, generation: saves.change(at: now.ticks))
    }

    private mutating func send(_ number: UInt64, on lane: Int, isRepeat: Bool, _ actions: inout [Action]) {
        let server = lanes[lane].server
        guard let index = record.indexOfBatch(boundTo: server, number), case let batch = record.batches[index],
            let binding = batch.binding
        else {
            lanes[lane].phase = .idle
            return
        }
        lanes[lane].phase = .sending(number: number, isRepeat: isRepeat, since: now.ticks)
        actions.append(.send(Shipment(stretch: batch.stretch, binding: binding)))
    }

    private mutating func save(_ actions: inout [Action]) {
        let isUrgent = isDraining || lanes.contains(where: \.isRecording)
        let wait = isUrgent ? 0 : policy.saveMilliseconds
        guard saves.isDue(after: wait, at: now.ticks) else { return }
        record.waitingSince = age(at: now.ticks).map { age in
            let moment = now.wall - min(now.wall, UInt64(age))
            return resolution.bucket(of: moment).milliseconds
        }
        let generation = saves.begin(sentThrough: record.sentThrough)
        actions.append(.save(record, generation: generation))
    }

    // MARK: - What can be asked

    /// How long the oldest event has waited that no server has answered for, in milliseconds; `nil` where there
    /// is none.
    public func age(at ticks: Int64) -> Int64? {
        guard record.sentThrough < available else { return nil }
        return marks.arrival(behind: record.sentThrough).map { max(ticks - $0, 0) } ?? 0
    }

    /// Every event of the spool is stored by a server, and the record says so.
    public var isDrained: Bool { record.batches.isEmpty && record.cut >= available && saves.isClean }

    /// When `time` is to be told, in ticks; `nil` where nothing waits for it.
    public var wakeTime: Int64? {
        var times: [Int64] = []
        for lane in lanes {
            if lane.notBefore > now.ticks { times.append(lane.notBefore) }
            if case .sending(_, _, let since) = lane.phase { times.append(since + policy.stallMilliseconds) }
        }
        times += refusals.times
        if available > record.cut, let cutDue { times.append(cutDue) }
        if let due = saves.due(after: policy.saveMilliseconds) { times.append(due) }
        return times.filter { $0 > now.ticks }.min()
    }
}

extension Forwarder {
    /// Gives batches that `server` may have to another one. From then on their events are stored at least once.
    ///
    /// - Returns: how many events, and what to do.
    public mutating func reassign(
        _ server: ServerName, at moment: Moment
    ) throws(ReassignmentFault) -> (events: Int, actions: [Action]) {
        guard lanes.contains(where: { $0.server != server }) else { throw .noOtherServer }
        let lane = lane(to: server)
        guard lane.map({ lanes[$0].mayHaveBatch }) ?? true, case let events = record.unbind(server), events > 0 else {
            throw .nothingUnknown
        }
        if let lane, case .unknown = lanes[lane].phase { lanes[lane].phase = .idle }
        saves.change(at: now.ticks)
        return (events, handle(.time, at: moment))
    }
}
