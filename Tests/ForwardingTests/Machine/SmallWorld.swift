import SegmentFormat

@testable import Forwarding

/// Two events, each a batch of its own, one or two servers, and everything that can happen next.
struct SmallWorld {
    enum Move: Equatable {
        case cut
        case save
        /// Time passes up to what the forwarder waits for.
        case time
        case answer(shipment: Int, Fate)
        /// The oldest that is late reaches its server.
        case arrive
        /// The record that is being written is durable, or is not.
        case crash(saved: Bool)
    }

    enum Fate: CaseIterable {
        case stored, answerLost, requestLost, late, refusedByServer, refusedForItself
    }

    /// What becomes at last of what is late.
    enum Ending: CaseIterable {
        case arrivesFirst, arrivesLast, never
    }

    static let events = 2

    private let names: [ServerName]
    private var forwarder: Forwarder
    private var servers: [ServerName: SimulatedServer] = [:]
    private var moment = Moment(ticks: 0, wall: 1_795_000_000_000)
    private var durable = ForwardingRecord(spool: StoreID(7), epoch: 1)
    private var pendingSave: (record: ForwardingRecord, generation: UInt64)?
    private var pendingCut: Sequence?
    private var inFlight: [Shipment] = []
    private var late: [Shipment] = []
    private var mayCrash = true
    private(set) var flaws: [String] = []

    init(servers count: Int) {
        names = Array(Simulation.names.prefix(count))
        forwarder = Self.forwarder(durable, names, moment)
        tell(.drain(true))
        tell(.available(through: Sequence(UInt64(Self.events))))
    }

    private static func forwarder(_ record: ForwardingRecord, _ names: [ServerName], _ moment: Moment) -> Forwarder {
        var policy = ForwardingPolicy()
        policy.batchEvents = 1
        return Forwarder(
            record, servers: names, policy: policy, available: Sequence(UInt64(events)), resolution: .tenMinutes,
            seed: 3, at: moment)
    }

    // MARK: - Moves

    var moves: [Move] {
        var moves: [Move] = []
        if pendingCut != nil { moves.append(.cut) }
        if pendingSave != nil { moves.append(.save) }
        for index in inFlight.indices { moves += Fate.allCases.map { .answer(shipment: index, $0) } }
        if forwarder.wakeTime != nil { moves.append(.time) }
        if !late.isEmpty { moves.append(.arrive) }
        if mayCrash, pendingSave != nil || !inFlight.isEmpty {
            moves += pendingSave == nil ? [.crash(saved: false)] : [.crash(saved: true), .crash(saved: false)]
        }
        return moves
    }

    mutating func make(_ move: Move) {
        switch move {
        case .cut: finishCut()
        case .save: finishSave()
        case .time:
            moment.ticks = max(forwarder.wakeTime ?? 0, moment.ticks)
            tell(.time)
        case .answer(let index, let fate): answer(inFlight.remove(at: index), fate)
        case .arrive: arrive(late.removeFirst())
        case .crash(let saved): crash(saved: saved)
        }
        if let flaw = forwarder.record.flaw { flaws.append(flaw) }
        flaws += servers.values.compactMap(\.flaw)
    }

    private mutating func tell(_ event: Forwarder.Event) {
        for action in forwarder.handle(event, at: moment) {
            switch action {
            case .cut(let after): pendingCut = after
            case .save(let record, let generation): pendingSave = (record, generation)
            case .send(let shipment): inFlight.append(shipment)
            case .release(let through):
                let isStored = (1...through.value).allSatisfy { copies(of: $0) > 0 }
                if !isStored { flaws.append("released through \(through) before it was stored") }
            }
        }
    }

    private mutating func finishCut() {
        guard let after = pendingCut else { return }
        pendingCut = nil
        let next = after.value + 1
        guard next <= UInt64(Self.events) else { return tell(.cut(nil)) }
        tell(
            .cut(
                Stretch(
                    first: Sequence(next), last: Sequence(next), events: 1, bytes: 1,
                    digest: Hash128(low: next, high: next))))
    }

    private mutating func finishSave() {
        guard let (record, generation) = pendingSave else { return }
        pendingSave = nil
        durable = record
        tell(.saved(generation: generation))
    }

    private mutating func answer(_ shipment: Shipment, _ fate: Fate) {
        let answer: ShipmentAnswer
        switch fate {
        case .stored: answer = .stored(arrive(shipment))
        case .answerLost:
            arrive(shipment)
            answer = .unknown(reason: "the answer was lost")
        case .requestLost: answer = .unknown(reason: "the request was lost")
        case .late:
            late.append(shipment)
            answer = .unknown(reason: "it took too long")
        case .refusedByServer: answer = .refused(.init(.server, "busy"))
        case .refusedForItself: answer = .refused(.init(.batch, "400"))
        }
        tell(.answered(shipment.binding.server, number: shipment.binding.number, answer))
    }

    @discardableResult
    private mutating func arrive(_ shipment: Shipment) -> ShipmentAnswer.Receipt {
        let its = Array(shipment.stretch.first.value...shipment.stretch.last.value)
        return servers[shipment.binding.server, default: SimulatedServer()].take(shipment, its[...])
    }

    private mutating func crash(saved: Bool) {
        if saved, let pendingSave { durable = pendingSave.record }
        late += inFlight
        (pendingSave, pendingCut, inFlight, mayCrash) = (nil, nil, [], false)
        forwarder = Self.forwarder(durable, names, moment)
        tell(.drain(true))
    }

    // MARK: - The end

    /// From now on everything goes well; what the world is like then.
    mutating func end(_ ending: Ending) {
        if ending == .arrivesFirst { arriveAll() }
        var rounds = 0
        while !forwarder.isDrained, rounds < 500 {
            rounds += 1
            if pendingCut != nil {
                make(.cut)
            } else if pendingSave != nil {
                make(.save)
            } else if !inFlight.isEmpty {
                make(.answer(shipment: 0, .stored))
            } else {
                make(.time)
            }
        }
        if ending == .arrivesLast { arriveAll() }
        if !forwarder.isDrained { flaws.append("never drained") }
        for event in 1...UInt64(Self.events) where copies(of: event) != 1 {
            flaws.append("event \(event) is stored \(copies(of: event)) times")
        }
    }

    private mutating func arriveAll() {
        for shipment in late { arrive(shipment) }
        late = []
    }

    private func copies(of event: UInt64) -> Int {
        servers.values.reduce(0) { $0 + ($1.stored[event] ?? 0) }
    }
}
