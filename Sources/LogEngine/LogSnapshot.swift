import SegmentFormat

/// The active segment as it was durable at one commit.
struct ActiveView: Sendable {
    let segment: OpenSegment
    let totals: SegmentTotals
    let length: UInt64

    init(_ active: ActiveSegment) {
        segment = OpenSegment(
            number: active.head.segment, salt: active.head.salt, file: active.file, blocks: active.index,
            keys: .active(active.keys))
        totals = active.totals
        length = active.length
    }

    init(segment: OpenSegment, totals: SegmentTotals, length: UInt64) {
        self.segment = segment
        self.totals = totals
        self.length = length
    }
}

/// A store at one commit. Immutable; what is appended later does not show.
public struct LogSnapshot: Sendable {
    public let store: StoreID
    public let stream: StreamName
    public let resolution: Resolution
    /// Events before it are purged.
    public let horizon: Bucket
    /// Of the newest event, which may be purged; 0 where there never was one.
    public let lastSequence: Sequence
    public let policy: RetentionPolicy
    /// By number.
    public let holds: [Hold]
    public let jobs: [JobRecord]
    /// Of the view that is kept beside it; the oldest first.
    public let checkpoints: [Checkpoint]
    let eraseCount: UInt64
    /// The highest sequence that purge has removed; 0 where it never did.
    let purgedThrough: Sequence
    var sealed: SealedSegments
    let active: ActiveView?
    let access: SegmentAccess
    let tombstones: [Tombstone]
    let erasures: Erasures?
    let orderSeed: UInt64
    /// Keeps the files that it names; `nil` where another process may remove them.
    let era: SnapshotEra?

    init(
        manifest: Manifest, sealed: SealedSegments, active: ActiveView?, access: SegmentAccess,
        erasures: Erasures? = nil, era: SnapshotEra? = nil
    ) {
        store = manifest.store
        stream = manifest.stream
        resolution = manifest.resolution
        horizon = manifest.horizon
        policy = manifest.lists.policy ?? .forever
        holds = manifest.lists.holds.all
        jobs = manifest.lists.jobs
        checkpoints = manifest.lists.checkpoints
        eraseCount = manifest.eraseCount
        purgedThrough = manifest.purgedThrough
        self.sealed = sealed
        self.active = active
        self.access = access
        tombstones = manifest.lists.tombstones
        self.erasures = erasures
        orderSeed = manifest.deliverySecret.low
        self.era = era
        lastSequence = max(
            active?.segment.blocks.lastSequence ?? sealed.lastSequence ?? Sequence(0), manifest.purgedThrough)
    }

    /// Of the oldest event that is stored, whether or not the horizon is past it; one above `lastSequence`
    /// where there is none. What a purge drops with its segments had lower ones.
    public var firstSequence: Sequence {
        sealed.firstSequence ?? active?.segment.blocks.firstSequence ?? lastSequence + 1
    }

    /// Whether a purge took events above `sequence`. What `repair` made forgets how far purges went, but not
    /// that there were some.
    public func hasPurged(after sequence: Sequence) -> Bool {
        sequence < purgedThrough || horizon > .earliest && sequence + 1 < firstSequence
    }

    /// Every sequence that was given out is below it; after an unclean end it is well above the newest
    /// event's (SPEC V7).
    var nextSequence: Sequence {
        max(active?.totals.nextSequence ?? sealed.nextSequence, purgedThrough + 1)
    }

    /// Files that it names were removed by a purge that could not wait: take a newer one.
    public var isRevoked: Bool { era?.isRevoked ?? false }

    /// Everything wrong that opening this store, and reading it since, has met.
    public var faults: [FileFault] { access.faults.all }

    /// Opens the newest segments, as many as are kept open: the first question need not wait for their indexes.
    public func openSegments() throws(StoreError) {
        for entry in sealed.entries.suffix(Bounds.openSegments) { _ = try access.open(entry, store: store) }
    }

    /// The event with a sequence, without its LF; `nil` where there is none, or none any more. Fails with
    /// `corrupt` where its block is damaged.
    public func line(of sequence: Sequence) throws(StoreError) -> [UInt8]? {
        try requireSight()
        let reader = BlockReader(access, erasures: erasures)
        for segment in try segments(reaching: sequence) {
            for index in segment.blocks(reaching: sequence...sequence) {
                let block = BlockReference(segment: segment, entry: segment.blocks[index])
                guard try reader.meta(block)?.mayHold(sequence) ?? false else { continue }
                if let line = try line(of: sequence, in: block, reader) { return line }
            }
        }
        if let fault = reader.faults.first {
            throw .corrupt(fault.path, "the block of this event is damaged", fault.fault)
        }
        return nil
    }

    private func line(
        of sequence: Sequence, in block: BlockReference, _ reader: BlockReader
    ) throws(StoreError) -> [UInt8]? {
        let output = ScanOutput()
        try reader.append(block, buckets: horizon...Bucket.latest, order: .time, to: output)
        var found: [UInt8]?
        output.forEachLine { line, its in
            if its == sequence { found = Array(line) }
        }
        return found
    }

    /// The stretches of sequences that cold segments span may overlap.
    private func segments(reaching sequence: Sequence) throws(StoreError) -> [OpenSegment] {
        if let active, active.totals.firstSequence <= sequence, sequence < active.totals.nextSequence {
            return [active.segment]
        }
        var found: [OpenSegment] = []
        for entry in sealed.entries where entry.firstSequence <= sequence && sequence < entry.nextSequence {
            if let segment = try access.open(entry, store: store) { found.append(segment) }
        }
        return found
    }
}

/// What `stat` tells of a segment.
public struct SegmentSummary: Sendable {
    public let number: SegmentNumber
    public let path: String
    /// Of one UTC day, in order of time.
    public let isCold: Bool
    public let isSealed: Bool
    public let isDamaged: Bool
    public let blocks: Int
    public let lines: UInt64
    public let rawBytes: UInt64
    public let storedBytes: UInt64
    public let firstSequence: Sequence
    public let nextSequence: Sequence
    /// `nil` without lines.
    public let firstBucket: Bucket?
    public let lastBucket: Bucket?
}

extension LogSnapshot {
    /// Oldest first; the active segment, if any, is the last.
    public var segments: [SegmentSummary] {
        sealed.entries.map { summary($0) } + (active.map { [summary($0)] } ?? [])
    }

    private func summary(_ entry: SegmentEntry) -> SegmentSummary {
        SegmentSummary(
            number: entry.segment, path: access.layout.path(of: entry), isCold: entry.day != nil,
            isSealed: !entry.isDamaged, isDamaged: entry.isDamaged, blocks: entry.blocks, lines: entry.lines,
            rawBytes: entry.rawBytes,
            storedBytes: entry.length, firstSequence: entry.firstSequence, nextSequence: entry.nextSequence,
            firstBucket: entry.lines > 0 ? entry.firstBucket : nil,
            lastBucket: entry.lines > 0 ? entry.lastBucket : nil)
    }

    private func summary(_ active: ActiveView) -> SegmentSummary {
        let totals = active.totals
        return SegmentSummary(
            number: active.segment.number, path: active.segment.file.path, isCold: false, isSealed: false,
            isDamaged: false,
            blocks: totals.blocks, lines: totals.lines, rawBytes: totals.rawBytes, storedBytes: active.length,
            firstSequence: totals.firstSequence, nextSequence: totals.nextSequence,
            firstBucket: totals.lines > 0 ? totals.firstBucket : nil,
            lastBucket: totals.lines > 0 ? totals.lastBucket : nil)
    }
}
