import SegmentFormat
import TestSupport

@testable import Forwarding

/// A forwarder, its spool, its servers and the network between, all of which do what a seeded chance says.
struct Simulation {
    struct Traits {
        var servers = 2
        var steps = 1_500
        var crashes = true
        var reassigns = false
        /// One in so many batches is refused for itself.
        var poison = 0
    }

    static let names = (0..<4).map { ServerName("http://storage\($0)") }

    let traits: Traits
    var random: SeededRandom
    var forwarder: Forwarder
    var servers: [ServerName: SimulatedServer] = [:]
    /// Sequences that name events; crashes of the spool leave gaps.
    var events: [UInt64] = []
    var nextSequence: UInt64 = 1
    var moment = Moment(ticks: 0, wall: 1_795_000_000_000)
    var durable: ForwardingRecord
    var pendingSave: (record: ForwardingRecord, generation: UInt64)?
    var pendingCut: Sequence?
    var inFlight: [Shipment] = []
    /// Reached their server's queue, but not its log yet; whoever sent them does not wait any more.
    var late: [Shipment] = []
    var released: UInt64 = 0
    var reassigned = 0
    var flaws: [String] = []
    var isCalm = false

    init(seed: UInt64, _ traits: Traits = Traits()) {
        self.traits = traits
        random = SeededRandom(seed: seed)
        durable = ForwardingRecord(spool: StoreID(7), epoch: random.next())
        forwarder = Self.forwarder(durable, traits, Sequence(0), seed: random.next(), moment)
        for name in Self.names.prefix(traits.servers) { servers[name] = SimulatedServer() }
    }

    private static func forwarder(
        _ record: ForwardingRecord, _ traits: Traits, _ available: Sequence, seed: UInt64, _ moment: Moment
    ) -> Forwarder {
        var policy = ForwardingPolicy()
        policy.batchEvents = 5
        return Forwarder(
            record, servers: Array(names.prefix(traits.servers)), policy: policy, available: available,
            resolution: .tenMinutes, seed: seed, at: moment)
    }

    // MARK: - Steps

    mutating func run() {
        for _ in 0..<traits.steps where flaws.isEmpty { step() }
        isCalm = true
        for shipment in late { arrive(shipment) }
        late = []
        tell(.drain(true))
        var rounds = 0
        while flaws.isEmpty, !forwarder.isDrained {
            rounds += 1
            guard rounds < 20_000 else { return flaws.append("never drained: \(forwarder.record)") }
            step()
        }
        check()
    }

    private mutating func step() {
        moment.ticks += Int64.random(in: 0...(random.oneIn(20) ? 5_000 : 120), using: &random)
        // The clock on the wall may jump.
        moment.wall = random.oneIn(50) ? moment.wall &- 3_600_000 : moment.wall + 100
        switch Int.random(in: 0..<12, using: &random) {
        case 0...2 where !isCalm: append()
        case 3, 4: finishCut()
        case 5, 6: finishSave()
        case 7, 8: finishShipment()
        case 9 where !late.isEmpty: arrive(late.remove(at: Int.random(in: 0..<late.count, using: &random)))
        case 10 where !isCalm && traits.crashes && random.oneIn(6): crash()
        case 11 where !isCalm && traits.reassigns && random.oneIn(8): reassign()
        case 11 where random.oneIn(40): tell(.retry)
        default: tell(.time)
        }
        if let flaw = forwarder.record.flaw { flaws.append(flaw) }
        flaws += servers.values.compactMap(\.flaw)
    }

    private mutating func tell(_ event: Forwarder.Event) {
        for action in forwarder.handle(event, at: moment) { perform(action) }
    }

    private mutating func perform(_ action: Forwarder.Action) {
        switch action {
        case .cut(let after):
            if pendingCut != nil { flaws.append("two cuts at once") }
            pendingCut = after
        case .save(let record, let generation):
            if pendingSave != nil { flaws.append("two saves at once") }
            pendingSave = (record, generation)
        case .send(let shipment):
            if inFlight.contains(where: { $0.binding.server == shipment.binding.server }) {
                flaws.append("two batches on the way to one server")
            }
            if !durable.batches.contains(where: { $0.binding == shipment.binding && $0.stretch == shipment.stretch }) {
                flaws.append("sent before it was on record")
            }
            inFlight.append(shipment)
        case .release(let through):
            let lost = sequences(released + 1...through.value).filter { sequence in
                !servers.values.contains { $0.stored[sequence] != nil }
            }
            if !lost.isEmpty { flaws.append("released before it was stored: \(lost)") }
            released = through.value
        }
    }

    // MARK: - What happens

    private mutating func append() {
        let count = UInt64.random(in: 1...7, using: &random)
        events += nextSequence..<nextSequence + count
        nextSequence += count
        tell(.available(through: Sequence(nextSequence - 1)))
    }

    private func sequences(_ range: ClosedRange<UInt64>) -> ArraySlice<UInt64> {
        events[place(of: range.lowerBound)..<place(of: range.upperBound + 1)]
    }

    /// Of the first event from this sequence on.
    private func place(of sequence: UInt64) -> Int {
        var range = 0..<events.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            range = events[middle] < sequence ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }

    private mutating func finishCut() {
        guard let after = pendingCut else { return }
        pendingCut = nil
        let found = events[place(of: after.value + 1)...].prefix(5)
        guard let first = found.first, let last = found.last else { return tell(.cut(nil)) }
        let digest = Hash128(low: first, high: last)
        tell(
            .cut(
                Stretch(
                    first: Sequence(first), last: Sequence(last), events: found.count, bytes: found.count,
                    digest: digest)))
    }

    private mutating func finishSave() {
        guard let (record, generation) = pendingSave else { return }
        pendingSave = nil
        durable = record
        tell(.saved(generation: generation))
    }

    private mutating func finishShipment() {
        guard !inFlight.isEmpty else { return }
        let shipment = inFlight.remove(at: Int.random(in: 0..<inFlight.count, using: &random))
        tell(.answered(shipment.binding.server, number: shipment.binding.number, answer(to: shipment)))
    }

    private mutating func answer(to shipment: Shipment) -> ShipmentAnswer {
        switch isCalm ? 0 : Int.random(in: 0..<10, using: &random) {
        case 0...4:
            if traits.poison > 0, !isCalm, shipment.stretch.first.value.isMultiple(of: UInt64(traits.poison)) {
                return .refused(.init(.batch, "400"))
            }
            return .stored(arrive(shipment))
        case 5:
            arrive(shipment)
            return .unknown(reason: "the answer was lost")
        case 6:
            late.append(shipment)
            return .unknown(reason: "it took too long")
        case 7: return .unknown(reason: "the request was lost")
        case 8: return .refused(.init(.server, "503", retryAfterMilliseconds: 2_000))
        default: return .refused(.init(.server, "connection refused"))
        }
    }

    @discardableResult
    private mutating func arrive(_ shipment: Shipment) -> ShipmentAnswer.Receipt {
        let its = sequences(shipment.stretch.first.value...shipment.stretch.last.value)
        return servers[shipment.binding.server, default: SimulatedServer()].take(shipment, its)
    }

    /// Of the forwarder; what was on its way arrives late or never.
    private mutating func crash() {
        if let pending = pendingSave, random.oneIn(2) { durable = pending.record }
        for shipment in inFlight where random.oneIn(2) { late.append(shipment) }
        (pendingSave, pendingCut, inFlight) = (nil, nil, [])
        let available = Sequence(nextSequence - 1)
        if random.oneIn(2) { nextSequence += 1_000 }
        forwarder = Self.forwarder(durable, traits, available, seed: random.next(), moment)
        released = min(released, durable.sentThrough.value)
    }

    private mutating func reassign() {
        let server = Self.names[Int.random(in: 0..<traits.servers, using: &random)]
        do throws(Forwarder.ReassignmentFault) {
            let (events, actions) = try forwarder.reassign(server, at: moment)
            reassigned += events
            for action in actions { perform(action) }
        } catch {
            // There was nothing to reassign.
        }
    }

    // MARK: - The promise

    private mutating func check() {
        for sequence in events {
            let times = servers.values.reduce(0) { $0 + ($1.stored[sequence] ?? 0) }
            if times == 0 { flaws.append("event \(sequence) is lost") }
            if times > 1, !traits.reassigns { flaws.append("event \(sequence) is stored \(times) times") }
        }
        let copies = servers.values.reduce(0) { $0 + $1.stored.values.reduce(0, +) }
        if copies - events.count > reassigned { flaws.append("more events are doubled than were reassigned") }
        let told = forwarder.record.tally
        if !traits.crashes, !traits.reassigns, told.delivered != UInt64(events.count) {
            flaws.append("told of \(told.delivered) events, stored \(events.count)")
        }
        if told.disputed > 0 || told.missing > 0 { flaws.append("a server has lost count: \(told)") }
    }
}
