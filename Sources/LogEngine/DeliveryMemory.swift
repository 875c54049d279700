import SegmentFormat

/// How a batch is recognised if it comes again.
public enum Delivery: Hashable, Sendable {
    /// `key`: a keyed hash of what the client called the batch; `fingerprint`: a hash of the batch.
    case key(Hash128, fingerprint: Hash128)
    /// The forwarder's own number of the batch; numbers rise.
    case source(SourceEpoch, number: UInt64)
}

/// What is known of deliveries: as durable as the deliveries, because it is read back from the
/// segments that hold them (SPEC §9).
struct DeliveryMemory {
    private var keys: [Hash128: (fingerprint: Hash128, outcome: DeliveryOutcome)] = [:]
    private let resolution: Resolution
    private let rememberedKeys: Int
    /// Keys in the order they came; those before `oldest` are forgotten. A key that is used again after
    /// its time was up stands here twice, and the last counts.
    private var arrivals: [(key: Hash128, time: UInt64)] = []
    private var oldest = 0
    private(set) var sources: [SourceEpoch: SourceDelivery] = [:]

    init(resolution: Resolution, rememberedKeys: Int = Bounds.rememberedKeys) {
        self.resolution = resolution
        self.rememberedKeys = rememberedKeys
    }

    enum Answer: Equatable {
        case unknown
        case known(DeliveryOutcome)
        case conflict
    }

    func answer(to delivery: Delivery, now: UInt64) -> Answer {
        switch delivery {
        case .key(let key, let fingerprint):
            guard let known = keys[key], !isForgotten(known.outcome, now: now) else { return .unknown }
            let isRepeat = known.fingerprint == fingerprint || known.fingerprint == KeyedDelivery.forgotten
            return isRepeat ? .known(known.outcome) : .conflict
        case .source(let source, let number):
            guard let last = sources[source], number <= last.number else { return .unknown }
            guard number < last.number else { return .known(last.outcome) }
            var earlier = last.outcome
            earlier.accepted = 0
            earlier.discarded = 0
            return .known(earlier)
        }
    }

    /// The time of an outcome is floored, so a key may live up to one resolution longer.
    private func isForgotten(_ outcome: DeliveryOutcome, now: UInt64) -> Bool {
        now > outcome.time && now - outcome.time > Bounds.keyMemoryMilliseconds + resolution.milliseconds
    }

    mutating func remember(_ delivery: KeyedDelivery) {
        let known = keys.updateValue((delivery.fingerprint, delivery.outcome), forKey: delivery.key)
        guard known?.outcome.time != delivery.outcome.time else { return }
        arrivals.append((delivery.key, delivery.outcome.time))
    }

    /// Forgets which batches came up to the erasure `tombstone`, but not that they came.
    mutating func forgetBatches(_ tombstone: Tombstone) {
        for (key, known) in keys where known.outcome.mayTell(of: tombstone) {
            keys[key]?.fingerprint = KeyedDelivery.forgotten
        }
    }

    mutating func remember(_ delivery: SourceDelivery) {
        if let known = sources[delivery.source], known.number >= delivery.number { return }
        sources[delivery.source] = delivery
    }

    /// Drops what is past the bounds. Cheap when there is nothing to drop.
    mutating func trim(now: UInt64) {
        while oldest < arrivals.count {
            let (key, time) = arrivals[oldest]
            if let outcome = keys[key]?.outcome, outcome.time == time {
                let isOver = arrivals.count - oldest > rememberedKeys
                guard isOver || isForgotten(outcome, now: now) else { break }
                keys[key] = nil
            }
            oldest += 1
        }
        if oldest > 4_096, oldest > arrivals.count / 2 {
            arrivals.removeFirst(oldest)
            oldest = 0
        }
        guard sources.count > Bounds.rememberedSources else { return }
        let kept = sources.values.sorted(by: Self.isSeenLater).prefix(Bounds.rememberedSources * 9 / 10)
        sources = Dictionary(uniqueKeysWithValues: kept.map { ($0.source, $0) })
    }

    private static func isSeenLater(_ a: SourceDelivery, _ b: SourceDelivery) -> Bool {
        (a.outcome.time, a.outcome.firstSequence) > (b.outcome.time, b.outcome.firstSequence)
    }

    /// The whole source table, in the order of SPEC §6.
    var sortedSources: [SourceDelivery] {
        sources.values.sorted {
            ($0.source.source.high, $0.source.source.low, $0.source.epoch)
                < ($1.source.source.high, $1.source.source.low, $1.source.epoch)
        }
    }
}

extension KeyedDelivery {
    /// The fingerprint of a batch that nobody is to know any more: whatever comes under the key is a repeat.
    static let forgotten = Hash128(low: 0, high: 0)

    /// Its batch may have had what was erased.
    func mayTell(of tombstone: Tombstone) -> Bool {
        fingerprint != Self.forgotten && outcome.mayTell(of: tombstone)
    }

    func forgettingBatch(_ tombstone: Tombstone?) -> KeyedDelivery {
        guard let tombstone, mayTell(of: tombstone) else { return self }
        var delivery = self
        delivery.fingerprint = Self.forgotten
        return delivery
    }
}

extension DeliveryOutcome {
    /// A batch of which nothing was stored has the sequence that came next.
    fileprivate func mayTell(of tombstone: Tombstone) -> Bool { firstSequence <= tombstone.through + 1 }
}

extension ManifestLists {
    /// The tombstone that reaches furthest.
    var furthestTombstone: Tombstone? { tombstones.max { $0.through < $1.through } }
}
