import FoundationEssentials
import SegmentFormat

// The record as the JSON of a note, which a person can read, too (SPEC Z11).

extension ForwardingRecord {
    /// One JSON object, names in order.
    public var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(RecordText(self)))
        }
    }

    /// `nil` for any other text, and for a record with a flaw.
    public init?(json: [UInt8]) {
        guard let text = try? JSONDecoder().decode(RecordText.self, from: Data(json)), let record = text.record,
            record.flaw == nil
        else { return nil }
        self = record
    }
}

/// 64-bit numbers that are names stand as 16 hex digits.
private struct RecordText: Codable {
    struct Batch: Codable {
        let first: UInt64
        let last: UInt64
        let events: Int
        let bytes: Int
        let digest: String
        let disputed: Bool
        let server: String?
        let epoch: String?
        let number: UInt64?
    }

    struct Tally: Codable {
        let delivered: UInt64
        let discarded: UInt64
        let reassigned: UInt64
        let disputed: UInt64
        let missing: UInt64
    }

    let spool: String
    let epoch: String
    let nextNumber: UInt64
    let cut: UInt64
    let waitingSince: UInt64?
    let batches: [Batch]
    let tally: Tally

    init(_ record: ForwardingRecord) {
        spool = record.spool.value.hex
        epoch = record.epoch.hex
        nextNumber = record.nextNumber
        cut = record.cut.value
        waitingSince = record.waitingSince
        batches = record.batches.map(Batch.init)
        let its = record.tally
        tally = Tally(
            delivered: its.delivered, discarded: its.discarded, reassigned: its.reassigned, disputed: its.disputed,
            missing: its.missing)
    }

    var record: ForwardingRecord? {
        guard let spool = UInt64(hex: spool), let epoch = UInt64(hex: epoch) else { return nil }
        var record = ForwardingRecord(spool: StoreID(spool), epoch: epoch)
        record.nextNumber = nextNumber
        record.cut = Sequence(cut)
        record.waitingSince = waitingSince
        record.tally.delivered = tally.delivered
        record.tally.discarded = tally.discarded
        record.tally.reassigned = tally.reassigned
        record.tally.disputed = tally.disputed
        record.tally.missing = tally.missing
        for text in batches {
            guard let batch = text.batch else { return nil }
            record.batches.append(batch)
        }
        return record
    }
}

extension RecordText.Batch {
    init(_ batch: Batch) {
        first = batch.stretch.first.value
        last = batch.stretch.last.value
        events = batch.stretch.events
        bytes = batch.stretch.bytes
        digest = batch.stretch.digest.hex
        disputed = batch.isDisputed
        server = batch.binding?.server.text
        epoch = batch.binding?.epoch.hex
        number = batch.binding?.number
    }

    var batch: Batch? {
        guard let high = UInt64(hex: digest.prefix(16)), let low = UInt64(hex: digest.dropFirst(16)),
            first > 0, last < UInt64(Int64.max)
        else { return nil }
        let stretch = Stretch(
            first: Sequence(first), last: Sequence(last), events: events, bytes: bytes,
            digest: Hash128(low: low, high: high))
        guard let server else { return Batch(stretch: stretch, isDisputed: disputed) }
        guard let epoch = epoch.flatMap({ UInt64(hex: $0) }), let number else { return nil }
        let binding = Binding(server: ServerName(server), epoch: epoch, number: number)
        return Batch(stretch: stretch, binding: binding, isDisputed: disputed)
    }
}
