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
            return known.fingerprint == fingerprint ? .known(known.outcome) : .conflict
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
