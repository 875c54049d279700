import LogEngine
import SegmentFormat

/// A segment in the shape of `tools/read_segment.py --json`.
struct SegmentJSON {
    private let dump: SegmentDump

    init(_ dump: SegmentDump) { self.dump = dump }

    var value: JSONValue {
        guard let head = dump.head else { return .null }
        return .object([
            ("store", .text(head.store.value.hex)), ("segment", .number(head.segment.value)),
            ("salt", .text(head.salt.value.hex)), ("stream", .text(head.stream.description)),
            ("resolution", .number(head.resolution.milliseconds)), ("created", .number(head.created)),
            ("horizon", .number(head.horizon.milliseconds)),
            ("replaced", .list(head.replaced.map { .number($0.value) })), ("sealed", .bool(dump.seal != nil)),
            ("length", .number(dump.length)),
            ("blocks", .list(dump.blocks.map { Self.block($0.meta, at: $0.offset) })),
            ("seal", dump.seal.map { Self.seal($0, at: dump.sealOffset ?? 0) } ?? .null),
        ])
    }

    private static func block(_ meta: BlockMeta, at offset: UInt64) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [
            ("offset", .number(offset)), ("commit", .number(meta.commit.value)), ("index", .number(meta.indexInCommit)),
            ("blocks", .number(meta.blocksInCommit)), ("first", .number(meta.firstSequence.value)),
            ("last", .number(meta.lastSequence.value)), ("lines", .number(meta.lines)),
            ("raw", .number(meta.rawLength)),
            ("stored", .number(meta.storedLength)), ("codec", .number(UInt64(meta.codec.rawValue))),
            ("arrangement", .number(arrangement(meta))),
            (
                "runs",
                .list(meta.runs.map { .list([.number($0.bucket.milliseconds), .number($0.lines), .number($0.bytes)]) })
            ),
        ]
        if case .perLine(let offsets) = meta.arrangement {
            members.append(("sequences", .list(offsets.map { .number(meta.firstSequence.value + $0) })))
        }
        members.append(("deliveries", .list(meta.keyed.map(delivery))))
        members.append(("sources", .list(meta.sourced.map(source))))
        return .object(members)
    }

    private static func arrangement(_ meta: BlockMeta) -> Int {
        switch meta.arrangement {
        case .arrival: 0
        case .perLine: 1
        case .perBlock: 2
        }
    }

    private static func delivery(_ keyed: KeyedDelivery) -> JSONValue {
        .object([("key", hex(keyed.key)), ("fingerprint", hex(keyed.fingerprint))] + outcome(keyed.outcome))
    }

    private static func source(_ sourced: SourceDelivery) -> JSONValue {
        .object(
            [
                ("source", hex(sourced.source.source)), ("epoch", .number(sourced.source.epoch)),
                ("batch", .number(sourced.number)),
            ] + outcome(sourced.outcome))
    }

    private static func outcome(_ outcome: DeliveryOutcome) -> [(name: String, value: JSONValue)] {
        [
            ("first", .number(outcome.firstSequence.value)), ("accepted", .number(UInt64(outcome.accepted))),
            ("discarded", .number(UInt64(outcome.discarded))), ("time", .number(outcome.time)),
        ]
    }

    private static func seal(_ seal: Seal, at offset: UInt64) -> JSONValue {
        let totals = seal.totals
        return .object([
            ("offset", .number(offset)), ("blocks", .number(totals.blocks)),
            ("commit", .number(totals.lastCommit.value)), ("lines", .number(totals.lines)),
            ("raw", .number(totals.rawBytes)), ("first", .number(totals.firstSequence.value)),
            ("next", .number(totals.nextSequence.value)), ("first_bucket", .number(totals.firstBucket.milliseconds)),
            ("last_bucket", .number(totals.lastBucket.milliseconds)), ("deliveries", .list(seal.keyed.map(delivery))),
            ("sources", .list(seal.sourced.map(source))), ("keys", .number(0)), ("hash", hex(seal.fileHash)),
        ])
    }

    /// The 16 bytes as they lie in the file.
    private static func hex(_ hash: Hash128) -> JSONValue {
        .text(hash.low.byteSwapped.hex + hash.high.byteSwapped.hex)
    }
}
