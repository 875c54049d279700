import SegmentFormat

/// What a purge is to do, and what it takes from each segment. Reads metadata alone, and changes nothing: a dry run
/// needs no more.
struct PurgeSurvey {
    private let log: EventLog
    private let access: SegmentAccess
    private let instead: RetentionPolicy?

    /// - Parameter policy: instead of the stream's own.
    init(_ log: EventLog, policy: RetentionPolicy?) {
        self.log = log
        access = SegmentAccess(log.layout, log.disk)
        instead = policy
    }

    private func policy(_ state: JobState) -> RetentionPolicy {
        instead ?? state.manifest.lists.policy ?? RetentionPolicy()
    }

    /// What becomes of each segment.
    ///
    /// - Parameter unheld: the first bucket of what the checkpoints of a view do not hold yet.
    func plan(_ state: JobState, unheld: Bucket) throws(StoreError) -> RetentionPlan {
        var segments: [RetainedSegment] = []
        for entry in state.manifest.segments {
            let bytes = try log.disk.allocatedLength(log.layout.path(of: entry)) ?? 0
            segments.append(RetainedSegment(entry, allocatedBytes: bytes))
        }
        if state.active.totals.blocks > 0 {
            let active = state.active.segment
            let entry = SegmentEntry(
                segment: active.number, salt: active.salt, length: state.active.length,
                fileHash: Hash128(low: 0, high: 0), totals: state.active.totals, sealed: state.now, deliveries: 0,
                isDamaged: false)
            segments.append(
                RetainedSegment(
                    entry, allocatedBytes: try log.disk.allocatedLength(active.file.path) ?? 0, isActive: true))
        }
        return RetentionPlan(
            segments, policy: policy(state), manifest: state.manifest, unheld: unheld, freeBytes: log.freeBytes(),
            now: state.now)
    }

    /// The plan with what goes of each segment.
    func told(
        _ plan: RetentionPlan, _ state: JobState, horizonBefore: Bucket? = nil
    ) throws(StoreError) -> PurgePlan {
        var told: [PurgedSegment] = []
        for (segment, action) in plan.actions { told.append(try self.told(segment, action, plan, state)) }
        return PurgePlan(
            stream: state.manifest.stream, policy: policy(state),
            horizonBefore: horizonBefore ?? state.manifest.horizon, horizonAfter: plan.horizon, wanted: plan.wanted,
            stoppedBy: plan.stoppedBy, segments: told)
    }

    private func told(
        _ segment: RetainedSegment, _ action: RetentionPlan.Action, _ plan: RetentionPlan, _ state: JobState
    ) throws(StoreError) -> PurgedSegment {
        let entry = segment.entry
        let isActive = segment.isActive
        var (events, oldest, newest, last) = (UInt64(0), Bucket?.none, Bucket?.none, Sequence(0))
        switch action {
        case .drop:
            events = entry.lines
            if entry.lines > 0 {
                (oldest, newest) = (entry.firstBucket, entry.lastBucket)
                last = Sequence(entry.nextSequence.value - 1)
            }
        case .rewrite:
            let floor = Retention.disposable(before: plan.horizon, holds: state.manifest.lists.holds.all)
            var manifest = state.manifest
            manifest.horizon = .earliest
            let snapshot = LogSnapshot(
                manifest: manifest, sealed: SealedSegments(isActive ? [] : [entry]),
                active: isActive ? state.active : nil, access: access,
                erasures: Erasures(manifest.lists.tombstones, log.keys))
            var walk = MetadataWalk(snapshot, 0...(floor.milliseconds - 1))
            try walk.visit {
                events += UInt64($0.lines)
                oldest = min(oldest ?? $0.firstBucket, $0.firstBucket)
                newest = max(newest ?? $0.lastBucket, $0.lastBucket)
                last = max(last, $0.lastSequence)
            }
        }
        let bytes =
            action == .drop ? segment.allocatedBytes : Self.share(events, of: entry.lines, segment.allocatedBytes)
        return PurgedSegment(
            number: entry.segment, path: isActive ? log.layout.hotSegment(entry.segment) : log.layout.path(of: entry),
            hash: entry.fileHash, action: action == .drop ? .dropped : .rewritten, events: events, bytes: bytes,
            oldest: oldest, newest: newest, lastSequence: last)
    }

    private static func share(_ events: UInt64, of all: UInt64, _ bytes: UInt64) -> UInt64 {
        all == 0 ? 0 : UInt64(Double(bytes) * Double(events) / Double(all))
    }

    /// Of all sealed segments.
    func allocatedBytes(_ state: JobState) throws(StoreError) -> UInt64 {
        var sum: UInt64 = 0
        for entry in state.manifest.segments { sum += try log.disk.allocatedLength(log.layout.path(of: entry)) ?? 0 }
        return sum
    }
}
