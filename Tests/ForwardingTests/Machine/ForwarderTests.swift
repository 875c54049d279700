import SegmentFormat
import Testing

@testable import Forwarding

/// A forwarder that is told things one by one.
private struct Told {
    static let servers = [ServerName("a"), ServerName("b")]
    var forwarder: Forwarder
    var ticks: Int64 = 0

    init(_ servers: [ServerName] = servers, record: ForwardingRecord? = nil, available: UInt64 = 0) {
        forwarder = Forwarder(
            record ?? ForwardingRecord(spool: StoreID(1), epoch: 5), servers: servers, policy: ForwardingPolicy(),
            available: Sequence(available), resolution: .tenMinutes, seed: 1, at: Moment(ticks: 0, wall: 600_000_000))
    }

    @discardableResult
    mutating func tell(_ event: Forwarder.Event, after milliseconds: Int64 = 0) -> [Forwarder.Action] {
        ticks += milliseconds
        return forwarder.handle(event, at: Moment(ticks: ticks, wall: 600_000_000 + UInt64(ticks)))
    }

    /// Does as it is told: cuts so many events and saves at once. Returns what is sent.
    mutating func obey(_ actions: [Forwarder.Action], events: UInt64 = 10) -> [Shipment] {
        var queue = actions
        var sent: [Shipment] = []
        while !queue.isEmpty {
            switch queue.removeFirst() {
            case .cut(let after):
                let last = min(after.value + events, forwarder.available.value)
                queue += tell(.cut(last > after.value ? Self.stretch(after.value + 1, last) : nil))
            case .save(_, let generation): queue += tell(.saved(generation: generation))
            case .send(let shipment): sent.append(shipment)
            case .release: break
            }
        }
        return sent
    }

    static func stretch(_ first: UInt64, _ last: UInt64) -> Stretch {
        Stretch(
            first: Sequence(first), last: Sequence(last), events: Int(last - first + 1), bytes: 1,
            digest: Hash128(low: first, high: last))
    }
}

@Suite("What the forwarder does next")
struct ForwarderTests {
    private static let stored = ShipmentAnswer.stored(.init(accepted: 10, discarded: 0))
    private static let down = ShipmentAnswer.refused(.init(.server, "connection refused"))

    @Test("a batch is cut at 1,000 events, or when the oldest has waited a second")
    func whenToCut() {
        var told = Told()
        #expect(told.tell(.available(through: Sequence(999))).isEmpty)
        #expect(told.forwarder.wakeTime == 1_000)
        #expect(told.tell(.time, after: 999).isEmpty)
        #expect(told.tell(.time, after: 1) == [.cut(after: Sequence(0))])
        #expect(told.tell(.time).isEmpty)
        var full = Told()
        #expect(full.tell(.available(through: Sequence(1_000))) == [.cut(after: Sequence(0))])
        var drained = Told()
        drained.tell(.drain(true))
        #expect(drained.tell(.available(through: Sequence(1))) == [.cut(after: Sequence(0))])
    }

    @Test("nothing is sent before the record says so, and nothing released before the answer is on record")
    func recordFirst() throws {
        var told = Told([ServerName("a")])
        told.tell(.drain(true))
        told.tell(.available(through: Sequence(10)))
        let actions = told.tell(.cut(Told.stretch(1, 10)))
        guard case .save(let record, let generation) = try #require(actions.first) else {
            Issue.record("\(actions)")
            return
        }
        #expect(actions.count == 1)
        let binding = Binding(server: ServerName("a"), epoch: 5, number: 1)
        #expect(record.batches.map(\.binding) == [binding])
        #expect(record.waitingSince == 600_000_000)
        #expect(
            told.tell(.saved(generation: generation)) == [
                .send(Shipment(stretch: Told.stretch(1, 10), binding: binding))
            ])
        let after = told.tell(.answered(ServerName("a"), number: 1, Self.stored))
        guard case .save(let settled, let next) = try #require(after.first) else {
            Issue.record("\(after)")
            return
        }
        #expect(settled.batches.isEmpty)
        #expect(settled.tally.delivered == 10)
        #expect(!told.forwarder.isDrained)
        #expect(told.tell(.saved(generation: next)) == [.release(through: Sequence(10))])
        #expect(told.forwarder.isDrained)
    }

    @Test("the first server gets everything while it is well; the next while it is not")
    func failover() {
        var told = Told()
        var sent = told.obey(told.tell(.available(through: Sequence(3_000))))
        #expect(sent.map(\.binding.server.text) == ["a"])
        sent = told.obey(told.tell(.answered(ServerName("a"), number: 1, Self.down)))
        #expect(sent.map(\.binding.server.text) == ["b"])
        #expect(sent.first?.stretch.first == Sequence(1))
        #expect(sent.first?.binding.number == 2)
        // When its pause is over it is tried again, beside the other.
        sent = told.obey(told.tell(.time, after: 300))
        #expect(sent.map(\.binding) == [Binding(server: ServerName("a"), epoch: 5, number: 3)])
        sent = told.obey(told.tell(.answered(ServerName("a"), number: 3, Self.stored)))
        #expect(sent.map(\.binding.server.text) == ["a"])
        #expect(told.obey(told.tell(.answered(ServerName("b"), number: 2, Self.stored))).isEmpty)
    }

    @Test("a batch that a server may have goes to it alone, until it answers")
    func unknown() {
        var told = Told()
        var sent = told.obey(told.tell(.available(through: Sequence(2_000))))
        let first = sent
        sent = told.obey(told.tell(.answered(ServerName("a"), number: 1, .unknown(reason: "no answer"))))
        #expect(sent.map(\.binding.server.text) == ["b"])
        #expect(told.obey(told.tell(.time, after: 300)) == first)
        // Refusals of a repeat say nothing of the first time.
        #expect(told.obey(told.tell(.answered(ServerName("a"), number: 1, Self.down))).isEmpty)
        #expect(told.forwarder.record.batches.first?.binding == first.first?.binding)
        #expect(told.obey(told.tell(.time, after: 600)) == first)
        told.tell(.answered(ServerName("a"), number: 1, Self.stored))
        #expect(told.forwarder.record.batches.first?.stretch.first == Sequence(11))
    }

    @Test("a server that does not answer does not hold up the others")
    func stall() {
        var told = Told()
        _ = told.obey(told.tell(.available(through: Sequence(2_000))))
        #expect(told.obey(told.tell(.time, after: 2_999)).isEmpty)
        #expect(told.obey(told.tell(.time, after: 1)).map(\.binding.server.text) == ["b"])
    }

    @Test("after a restart what is bound may have been stored")
    func restart() {
        var record = ForwardingRecord(spool: StoreID(1), epoch: 9)
        record.cut = Sequence(30)
        record.nextNumber = 8
        record.batches = [
            Batch(stretch: Told.stretch(11, 20), binding: Binding(server: ServerName("b"), epoch: 9, number: 7)),
            Batch(stretch: Told.stretch(21, 30)),
        ]
        var told = Told(record: record, available: 30)
        let sent = told.obey(told.tell(.time))
        #expect(Set(sent.map(\.binding.number)) == [7, 8])
        #expect(sent.first { $0.binding.number == 7 }?.binding.server.text == "b")
        #expect(told.forwarder.record.sentThrough == Sequence(10))
    }

    @Test("a batch of a server that is configured no more waits for the operator, the others do not")
    func strangeServer() throws {
        var record = ForwardingRecord(spool: StoreID(1), epoch: 9)
        record.cut = Sequence(10)
        record.nextNumber = 2
        record.batches = [
            Batch(stretch: Told.stretch(1, 10), binding: Binding(server: ServerName("old"), epoch: 9, number: 1))
        ]
        var told = Told(record: record, available: 1_010)
        #expect(told.obey(told.tell(.time)).map(\.stretch.first) == [Sequence(11)])
        let (events, _) = try told.forwarder.reassign(ServerName("old"), at: Moment(ticks: 0, wall: 0))
        #expect(events == 10)
        #expect(told.forwarder.record.tally.reassigned == 10)
        #expect(
            told.obey(told.tell(.answered(ServerName("a"), number: 2, Self.stored))).map(\.stretch.first) == [
                Sequence(1)
            ])
    }

    @Test("only what nobody knows is reassigned, and only where there is another server")
    func reassignment() {
        var alone = Told([ServerName("a")])
        #expect(throws: Forwarder.ReassignmentFault.noOtherServer) {
            try alone.forwarder.reassign(ServerName("a"), at: Moment(ticks: 0, wall: 0))
        }
        var told = Told()
        _ = told.obey(told.tell(.available(through: Sequence(1_000))))
        #expect(throws: Forwarder.ReassignmentFault.nothingUnknown) {
            try told.forwarder.reassign(ServerName("a"), at: Moment(ticks: 0, wall: 0))
        }
    }

    @Test("an answer for fewer events than were sent is not believed the first time")
    func dispute() {
        var told = Told([ServerName("a")])
        told.tell(.drain(true))
        _ = told.obey(told.tell(.available(through: Sequence(10))))
        let none = ShipmentAnswer.stored(.init(accepted: 0, discarded: 0))
        let sent = told.obey(told.tell(.answered(ServerName("a"), number: 1, none)))
        #expect(sent.map(\.binding.number) == [2])
        #expect(sent.first?.binding.epoch != 5)
        _ = told.obey(told.tell(.answered(ServerName("a"), number: 2, none)))
        #expect(told.forwarder.isDrained)
        #expect(told.forwarder.record.tally.disputed == 10)
        #expect(told.forwarder.record.tally.missing == 10)
    }

    @Test("what lay before a server's horizon was answered for")
    func discarded() {
        var told = Told([ServerName("a")])
        told.tell(.drain(true))
        _ = told.obey(told.tell(.available(through: Sequence(10))))
        _ = told.obey(told.tell(.answered(ServerName("a"), number: 1, .stored(.init(accepted: 4, discarded: 6)))))
        #expect(told.forwarder.isDrained)
        #expect(told.forwarder.record.tally.delivered == 4)
        #expect(told.forwarder.record.tally.discarded == 6)
    }

    @Test(
        "no server has answered for more events than it was sent",
        arguments: [(Int.max, Int.max), (11, -1), (3, .max)])
    func boastfulServer(accepted: Int, discarded: Int) {
        var told = Told([ServerName("a")])
        told.tell(.drain(true))
        let answer = ShipmentAnswer.stored(.init(accepted: accepted, discarded: discarded))
        for number: UInt64 in 1...3 {
            _ = told.obey(told.tell(.available(through: Sequence(10 * number))))
            _ = told.obey(told.tell(.answered(ServerName("a"), number: number, answer)))
        }
        let tally = told.forwarder.record.tally
        #expect(tally.delivered == UInt64(3 * min(accepted, 10)))
        #expect(tally.delivered + tally.discarded == 30 && tally.missing == 0)
    }

    @Test("a server is given the pause that it asks for, within reason; retry ends every pause")
    func pauses() {
        var told = Told([ServerName("a")])
        _ = told.obey(told.tell(.available(through: Sequence(1_000))))
        let busy = ShipmentAnswer.refused(.init(.server, "busy", retryAfterMilliseconds: 60_000))
        #expect(told.obey(told.tell(.answered(ServerName("a"), number: 1, busy))).isEmpty)
        #expect(told.obey(told.tell(.time, after: 59_999)).isEmpty)
        #expect(told.obey(told.tell(.retry)).count == 1)
        let absurd = ShipmentAnswer.refused(.init(.server, "busy", retryAfterMilliseconds: 86_400_000))
        #expect(told.obey(told.tell(.answered(ServerName("a"), number: 2, absurd))).isEmpty)
        #expect(told.obey(told.tell(.time, after: 300_000)).count == 1)
    }

    @Test("pauses double up to the longest, half of each by chance")
    func backoff() {
        var backoff = Backoff(ForwardingPolicy(), seed: 3)
        for failures in 1...80 {
            let full: Int64 = failures > 7 ? 30_000 : min(250 << Int64(failures - 1), 30_000)
            for _ in 0..<50 { #expect((full / 2...full).contains(backoff.pause(failures: failures))) }
        }
    }

    @Test("the age of the oldest event is told, over a restart too")
    func age() {
        var told = Told()
        told.tell(.available(through: Sequence(5)))
        told.tell(.available(through: Sequence(9)), after: 500)
        #expect(told.forwarder.age(at: told.ticks) == 500)
        var record = ForwardingRecord(spool: StoreID(1), epoch: 9)
        record.waitingSince = 600_000_000 - 120_000
        #expect(Told(record: record, available: 4).forwarder.age(at: 0) == 120_000)
        #expect(Told().forwarder.age(at: 0) == nil)
    }

    @Test("a record with a flaw is told from one without", arguments: 0..<6)
    func flaws(kind: Int) {
        var record = ForwardingRecord(spool: StoreID(1), epoch: 9)
        record.cut = Sequence(30)
        record.nextNumber = 3
        let bound = { Binding(server: ServerName("a"), epoch: 9, number: $0) }
        record.batches = [
            Batch(stretch: Told.stretch(1, 10), binding: bound(1)), Batch(stretch: Told.stretch(11, 30)),
        ]
        #expect(record.flaw == nil)
        switch kind {
        case 0: record.batches[1].binding = bound(2)
        case 1: record.batches[0].binding = bound(3)
        case 2: record.cut = Sequence(29)
        case 3: record.batches[0].stretch.last = Sequence(11)
        case 4: record.batches[0].stretch.events = 0
        default: record.batches[0].stretch.events = 11
        }
        #expect(record.flaw != nil)
    }
}
