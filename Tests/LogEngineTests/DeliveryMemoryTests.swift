import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What is remembered of deliveries")
struct DeliveryMemoryTests {
    private static let day = Bounds.keyMemoryMilliseconds
    private static let width = Resolution.tenMinutes.milliseconds
    private static let start: UInt64 = 1_795_000_200_000

    private static func outcome(_ first: UInt64, at time: UInt64 = start, accepted: UInt32 = 3) -> DeliveryOutcome {
        DeliveryOutcome(firstSequence: Sequence(first), accepted: accepted, discarded: 1, time: time)
    }

    private static func keyed(_ key: UInt64, _ outcome: DeliveryOutcome, fingerprint: UInt64 = 9) -> KeyedDelivery {
        KeyedDelivery(key: hash(key), fingerprint: hash(fingerprint), outcome: outcome)
    }

    private static func hash(_ value: UInt64) -> Hash128 { Hash128(low: value, high: 0) }

    private static func key(_ key: UInt64, fingerprint: UInt64 = 9) -> Delivery {
        .key(hash(key), fingerprint: hash(fingerprint))
    }

    private static func source(_ low: UInt64, high: UInt64 = 0, epoch: UInt64 = 1) -> SourceEpoch {
        SourceEpoch(source: Hash128(low: low, high: high), epoch: epoch)
    }

    private var memory = DeliveryMemory(resolution: .tenMinutes)

    // MARK: - Keys

    @Test("a key gets its first answer with the same batch, and is a conflict with another")
    func keys() {
        var memory = memory
        memory.remember(Self.keyed(1, Self.outcome(5)))
        #expect(memory.answer(to: Self.key(1), now: Self.start) == .known(Self.outcome(5)))
        #expect(memory.answer(to: Self.key(1, fingerprint: 8), now: Self.start) == .conflict)
        #expect(memory.answer(to: Self.key(2), now: Self.start) == .unknown)
    }

    @Test("a key is forgotten a day and one resolution after its floored time, trimmed or not", arguments: [1, 0])
    func age(trims: Int) {
        let last = Self.day + Self.width
        for (age, isKnown) in [(0, true), (Self.day, true), (last, true), (last + 1, false)] {
            var memory = memory
            memory.remember(Self.keyed(1, Self.outcome(5)))
            for _ in 0..<trims { memory.trim(now: Self.start + age) }
            for fingerprint: UInt64 in [8, 9] {
                let answer = memory.answer(to: Self.key(1, fingerprint: fingerprint), now: Self.start + age)
                #expect((answer != .unknown) == isKnown)
            }
        }
    }

    @Test("a clock that was set back forgets nothing")
    func clockSetBack() {
        var memory = memory
        memory.remember(Self.keyed(1, Self.outcome(5)))
        memory.trim(now: 0)
        #expect(memory.answer(to: Self.key(1), now: 0) == .known(Self.outcome(5)))
    }

    @Test("beyond so many keys the oldest go first")
    func count() {
        var memory = DeliveryMemory(resolution: .tenMinutes, rememberedKeys: 100)
        for number in 1...20_000 as ClosedRange<UInt64> {
            memory.remember(Self.keyed(number, Self.outcome(number)))
            memory.trim(now: Self.start)
        }
        let known = (1...20_000).filter { memory.answer(to: Self.key($0), now: Self.start) != .unknown }
        #expect(known == Array(19_901...20_000))
    }

    @Test("a key that is used again after it was forgotten is the newest, not the oldest")
    func usedAgain() {
        var memory = DeliveryMemory(resolution: .tenMinutes, rememberedKeys: 3)
        memory.remember(Self.keyed(1, Self.outcome(1)))
        let later = Self.start + 2 * Self.day
        memory.remember(Self.keyed(2, Self.outcome(2, at: later)))
        memory.remember(Self.keyed(1, Self.outcome(3, at: later), fingerprint: 7))
        for key: UInt64 in [3, 4] {
            memory.remember(Self.keyed(key, Self.outcome(key + 10, at: later)))
            memory.trim(now: later)
        }
        #expect(memory.answer(to: Self.key(1, fingerprint: 7), now: later) == .known(Self.outcome(3, at: later)))
        #expect(memory.answer(to: Self.key(2), now: later) == .unknown)
    }

    @Test("a delivery that is read back twice, from a seal and from blocks, counts once")
    func readTwice() {
        var memory = DeliveryMemory(resolution: .tenMinutes, rememberedKeys: 3)
        for _ in 0..<2 {
            for key: UInt64 in 1...3 { memory.remember(Self.keyed(key, Self.outcome(key))) }
        }
        memory.trim(now: Self.start)
        for key: UInt64 in 1...3 {
            #expect(memory.answer(to: Self.key(key), now: Self.start) == .known(Self.outcome(key)))
        }
    }

    // MARK: - Sources

    @Test("the highest number of a source gets its first answer, a lower one is a repeat of nothing")
    func numbers() {
        var memory = memory
        let source = Self.source(1)
        memory.remember(SourceDelivery(source: source, number: 7, outcome: Self.outcome(5)))
        memory.remember(SourceDelivery(source: source, number: 6, outcome: Self.outcome(1)))
        memory.remember(SourceDelivery(source: source, number: 7, outcome: Self.outcome(50)))
        let nothing = DeliveryOutcome(firstSequence: Sequence(5), accepted: 0, discarded: 0, time: Self.start)
        let years = Self.start + 1_000 * Self.day
        for now in [Self.start, years] {
            #expect(memory.answer(to: .source(source, number: 8), now: now) == .unknown)
            #expect(memory.answer(to: .source(source, number: 7), now: now) == .known(Self.outcome(5)))
            for number: UInt64 in 0...6 {
                #expect(memory.answer(to: .source(source, number: number), now: now) == .known(nothing))
            }
        }
    }

    @Test("another epoch, or another half of the name, is another source")
    func otherSources() {
        var memory = memory
        memory.remember(SourceDelivery(source: Self.source(1), number: 7, outcome: Self.outcome(5)))
        for other in [Self.source(1, epoch: 2), Self.source(2), Self.source(1, high: 1)] {
            #expect(memory.answer(to: .source(other, number: 1), now: Self.start) == .unknown)
        }
    }

    @Test("beyond so many sources those that were not seen for longest go first")
    func manySources() {
        var memory = memory
        let count = UInt64(Bounds.rememberedSources)
        for number in 1...count {
            let outcome = Self.outcome(number, at: Self.start + number)
            memory.remember(SourceDelivery(source: Self.source(number), number: 1, outcome: outcome))
        }
        memory.remember(
            SourceDelivery(source: Self.source(1), number: 2, outcome: Self.outcome(20_000, at: Self.start + 20_000)))
        memory.trim(now: Self.start)
        #expect(memory.sources.count == Bounds.rememberedSources)
        memory.remember(
            SourceDelivery(source: Self.source(0), number: 1, outcome: Self.outcome(20_001, at: Self.start + 20_001)))
        memory.trim(now: Self.start)
        #expect(memory.sources.count <= Bounds.rememberedSources)
        let gone = (0...count).filter { memory.sources[Self.source($0)] == nil }
        #expect(gone == Array(2..<2 + UInt64(gone.count)) && !gone.isEmpty)
    }

    @Test("the table of a seal is sorted by the high half, then the low half, then the epoch, as integers")
    func sortedTable() {
        let sorted = [
            Self.source(9, high: 0, epoch: 9), Self.source(1, high: 1, epoch: 9), Self.source(2, high: 1, epoch: 1),
            Self.source(2, high: 1, epoch: 2), Self.source(256, high: 1, epoch: 0),
            Self.source(0, high: 256, epoch: 0), Self.source(0, high: .max, epoch: .max),
        ]
        var random = SeededRandom(seed: 1)
        for _ in 0..<20 {
            var memory = memory
            for source in sorted.shuffled(using: &random) {
                memory.remember(SourceDelivery(source: source, number: 1, outcome: Self.outcome(1)))
            }
            #expect(memory.sortedSources.map(\.source) == sorted)
        }
    }
}
