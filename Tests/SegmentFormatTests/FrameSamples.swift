@testable import SegmentFormat

/// A valid frame of each kind, with everything in it that the kind can hold, and how it is read.
struct FrameSample: Sendable, CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    /// Decodes and encodes again.
    let again: @Sendable ([UInt8]) -> Result<[UInt8], FormatFault>

    static let salt = Salt(0x0123_4567_89AB_CDEF)
    static let segment = SegmentNumber(9)
    static let all =
        [head, meta(.arrival), meta(.perLine([4, 0, 1, 3, 2])), meta(.perBlock), deliveries, seal, emptySeal]
        + [manifest, newManifest, activeMark]
}

// MARK: - Values

extension FrameSample {
    static let outcome = DeliveryOutcome(firstSequence: Sequence(70), accepted: 5, discarded: 2, time: 1_800_000)
    static let keyed = (1...3).map {
        KeyedDelivery(key: Hash128(low: $0, high: ~$0), fingerprint: Hash128(low: $0 << 8, high: 7), outcome: outcome)
    }
    static let sourced = (1...2).map {
        SourceDelivery(
            source: SourceEpoch(source: Hash128(low: $0, high: 9), epoch: ~$0), number: $0 << 40, outcome: outcome)
    }

    static let headValue = SegmentHead(
        store: StoreID(.max), segment: segment, salt: salt, stream: .interactions, resolution: .oneMillisecond,
        created: 1_795_000_000_123, horizon: .ofHour(3), replaced: [SegmentNumber(2), SegmentNumber(5)])

    static func metaValue(_ arrangement: Arrangement) -> BlockMeta {
        var meta = BlockMeta(
            segment: segment, commit: CommitNumber(300), indexInCommit: 2, blocksInCommit: 3,
            nextSequence: Sequence(70), keyed: keyed, sourced: sourced)
        (meta.lastSequence, meta.lines, meta.rawLength, meta.storedLength) = (Sequence(74), 5, 700, 300)
        (meta.codec, meta.dataHash, meta.arrangement) = (.lz4, 0xABCD_EF01_2345_6789, arrangement)
        meta.runs = [
            Run(bucket: .ofHour(0), lines: 1, bytes: 100), Run(bucket: .ofHour(1), lines: 3, bytes: 450),
            Run(bucket: .ofHour(700_000), lines: 1, bytes: 150),
        ]
        return meta
    }

    static let noLines = BlockMeta(
        segment: segment, commit: CommitNumber(301), indexInCommit: 0, blocksInCommit: 1, nextSequence: Sequence(75),
        keyed: keyed, sourced: sourced)

    static let sealOffset: UInt64 = 5_000
    static let sealValue: Seal = {
        var index = [BlockIndexEntry(metaValue(.arrival), offset: 200, metaLength: 1_000)]
        var last = BlockIndexEntry(noLines, offset: 1_500, metaLength: 3_500)
        last.dataLength = 0
        index.append(last)
        var totals = SegmentTotals(startingAt: Sequence(70))
        for entry in index { totals.add(entry) }
        return Seal(
            segment: segment, totals: totals, index: index, keyed: keyed, sourced: sourced,
            fileHash: Hash128(low: 3, high: 4))
    }()
    static let emptySealValue = Seal(
        segment: segment, totals: SegmentTotals(startingAt: Sequence(8)), index: [], keyed: [], sourced: [],
        fileHash: Hash128(low: 0, high: 0))

    static let newManifestValue = Manifest(
        store: StoreID(4), deliverySecret: Hash128(low: 5, high: 6), created: 7, stream: .interactions,
        resolution: .tenMinutes)

    static let manifestValue: Manifest = {
        var manifest = newManifestValue
        manifest.generation = 99
        manifest.horizon = .ofHour(5)
        manifest.eraseCount = 3
        manifest.firstUnreserved = Sequence(1 << 40)
        manifest.highestSegment = SegmentNumber(11)
        manifest.cleanClose = CleanClose(
            segment: SegmentNumber(11), salt: Salt(13), length: 1 << 20, lastCommit: CommitNumber(12),
            nextSequence: Sequence(80))
        var cold = entry(9, isDamaged: false)
        cold.day = 20_000
        manifest.segments = [cold, entry(10, isDamaged: true), entry(11, isDamaged: false)]
        manifest.lists.tombstones = [Tombstone(key: Hash128(low: 1, high: 2), through: Sequence(50))]
        manifest.lists.holds.add(
            Hold(number: 1, from: .ofHour(1), to: .ofHour(2), created: 3, reason: "audit, Zürich ✓"))
        manifest.lists.holds.add(Hold(number: 2, from: .earliest, to: .latest, created: 4, reason: ""))
        manifest.lists.policy = RetentionPolicy(maxAgeMilliseconds: 86_400_000, maxBytes: nil, minFreeBytes: 1 << 30)
        manifest.lists.jobs = [JobRecord(job: .purge, lastRun: 9, lastSuccess: 0)]
        manifest.lists.checkpoints = [3, 5].map {
            Checkpoint(
                generation: SegmentNumber($0), through: Sequence($0 * 10), salt: Salt($0), length: 4_096,
                fileHash: Hash128(low: $0, high: 8), eraseCount: 3)
        }
        return manifest
    }()

    private static func entry(_ number: UInt64, isDamaged: Bool) -> SegmentEntry {
        SegmentEntry(
            segment: SegmentNumber(number), salt: salt, length: 1 << 30, fileHash: Hash128(low: number, high: 1),
            totals: sealValue.totals, sealed: 1_800_000, deliveries: 3, isDamaged: isDamaged)
    }

    static let markValue = ActiveMark(
        segment: segment, salt: salt, length: 123_456, lastCommit: CommitNumber(300), nextSequence: Sequence(75))
}

extension Bucket {
    static func ofHour(_ hour: UInt64) -> Bucket { Bucket(milliseconds: hour * 3_600_000) }
}

// MARK: - Frames

extension FrameSample {
    static let head = FrameSample(description: "head", bytes: headValue.encoded()) {
        $0.decoded(SegmentHead.decode).map { $0.head.encoded() }
    }

    static func meta(_ arrangement: Arrangement) -> FrameSample {
        meta("meta, \(arrangement)", metaValue(arrangement))
    }
    static let deliveries = meta("meta without lines", noLines)

    private static func meta(_ name: String, _ meta: BlockMeta) -> FrameSample {
        FrameSample(description: name, bytes: meta.encoded(salt: salt)) { bytes in
            decodeMeta(bytes).map { $0.encoded(salt: salt) }
        }
    }

    static func decodeMeta(_ bytes: [UInt8]) -> Result<BlockMeta, FormatFault> {
        bytes.decoded { (bytes) throws(FormatFault) in
            try BlockMeta.decode(bytes, at: 0, segment: segment, salt: salt).meta
        }
    }

    static func decodeSeal(_ bytes: [UInt8]) -> Result<Seal, FormatFault> {
        bytes.decoded { (bytes) throws(FormatFault) in
            try Seal.decode(bytes, at: sealOffset, segment: segment, salt: salt)
        }
    }

    static let seal = FrameSample(description: "seal", bytes: sealValue.encoded(salt: salt)) { bytes in
        decodeSeal(bytes).map { $0.encoded(salt: salt) }
    }
    static let emptySeal = FrameSample(description: "seal of nothing", bytes: emptySealValue.encoded(salt: salt)) {
        bytes in decodeSeal(bytes).map { $0.encoded(salt: salt) }
    }

    static let manifest = sample("manifest", manifestValue)
    static let newManifest = sample("new manifest", newManifestValue)
    private static func sample(_ name: String, _ manifest: Manifest) -> FrameSample {
        FrameSample(description: name, bytes: manifest.encoded()) {
            $0.decoded(Manifest.decode).map { $0.encoded() }
        }
    }

    static let activeMark = FrameSample(description: "active mark", bytes: markValue.encoded()) {
        $0.decoded(ActiveMark.decode).map { $0.encoded() }
    }
}
