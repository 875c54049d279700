/// What a batch was answered: enough to give a repeat the same answer.
public struct DeliveryOutcome: Hashable, Sendable {
    /// The first of the accepted events; where none was accepted, the sequence that came next.
    public var firstSequence: Sequence
    public var accepted: UInt32
    /// Events before the horizon, which are not stored.
    public var discarded: UInt32
    /// Milliseconds, floored to the stream's resolution.
    public var time: UInt64

    public init(firstSequence: Sequence, accepted: UInt32, discarded: UInt32, time: UInt64) {
        self.firstSequence = firstSequence
        self.accepted = accepted
        self.discarded = discarded
        self.time = time
    }

    func put(into writer: inout ByteWriter) {
        writer.put(firstSequence.value)
        writer.put(accepted)
        writer.put(discarded)
        writer.put(time)
    }

    init(from reader: inout ByteReader) throws(FormatFault) {
        firstSequence = Sequence(try reader.u64())
        accepted = try reader.u32()
        discarded = try reader.u32()
        time = try reader.u64()
    }
}

/// A batch that is recognised by a key of its own.
public struct KeyedDelivery: Hashable, Sendable {
    /// A keyed hash of the client's key; the key itself is not stored.
    public var key: Hash128
    /// A hash of the batch, which tells a repeat from another batch under the same key.
    public var fingerprint: Hash128
    public var outcome: DeliveryOutcome

    public init(key: Hash128, fingerprint: Hash128, outcome: DeliveryOutcome) {
        self.key = key
        self.fingerprint = fingerprint
        self.outcome = outcome
    }
}

/// A forwarder in one of its lives: a keyed hash of its name, and a random epoch.
public struct SourceEpoch: Hashable, Sendable {
    public var source: Hash128
    public var epoch: UInt64

    public init(source: Hash128, epoch: UInt64) {
        self.source = source
        self.epoch = epoch
    }
}

/// A batch that is recognised by its number at its source.
public struct SourceDelivery: Hashable, Sendable {
    public var source: SourceEpoch
    public var number: UInt64
    public var outcome: DeliveryOutcome

    public init(source: SourceEpoch, number: UInt64, outcome: DeliveryOutcome) {
        self.source = source
        self.number = number
        self.outcome = outcome
    }
}

enum DeliveryList {
    static let bytesEach = 56

    static func put(_ keyed: [KeyedDelivery], _ sourced: [SourceDelivery], into frame: inout FrameWriter) {
        frame.list(.deliveries, keyed) {
            $1.put($0.key)
            $1.put($0.fingerprint)
            $0.outcome.put(into: &$1)
        }
        frame.list(.sources, sourced) {
            $1.put($0.source.source)
            $1.put($0.source.epoch)
            $1.put($0.number)
            $0.outcome.put(into: &$1)
        }
    }

    static func keyed(_ sections: Sections) throws(FormatFault) -> [KeyedDelivery] {
        try sections.list(.deliveries, bytesEach: bytesEach, atMost: FormatBounds.deliveries, clause: .deliveries) {
            (reader) throws(FormatFault) in
            let key = try reader.hash128()
            let fingerprint = try reader.hash128()
            return KeyedDelivery(key: key, fingerprint: fingerprint, outcome: try DeliveryOutcome(from: &reader))
        }
    }

    static func sourced(_ sections: Sections) throws(FormatFault) -> [SourceDelivery] {
        try sections.list(.sources, bytesEach: bytesEach, atMost: FormatBounds.deliveries, clause: .deliveries) {
            (reader) throws(FormatFault) in
            let source = try reader.hash128()
            let epoch = try reader.u64()
            let number = try reader.u64()
            return SourceDelivery(
                source: SourceEpoch(source: source, epoch: epoch), number: number,
                outcome: try DeliveryOutcome(from: &reader))
        }
    }
}
