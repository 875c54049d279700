import Glibc
import SegmentFormat

// The one writer of a store, on one thread: commits, seals, closes. After any failure that leaves
// the end of a file or a directory unknown it is poisoned: no more acknowledgements, ever (SPEC §9).

final class LogWriter {
    let layout: Layout
    let environment: Environment
    private let options: LogOptions
    private let manifests: ManifestStore
    private(set) var active: ActiveSegment
    private(set) var memory: DeliveryMemory
    private var sealed: SealedSegments
    private var era: SnapshotEra
    /// Files that left the store, until they are removed.
    let graveyard: Graveyard
    /// Rung when the committer has to look up.
    let alarm = Alarm()
    private var erasures: Erasures?
    private let mark: StoreFile
    private let lock: any DiskFile
    let access: SegmentAccess
    let room: WriterRoom
    private(set) var poison: StoreError?
    /// Of the last commit, if it made something durable.
    private(set) var report: CommitReport?
    /// A roll whose manifest is still to be written.
    private var unlisted: SegmentEntry?
    /// Files of segments that were to be listed and are not.
    fileprivate var strays: [DoomedFile] = []
    /// No segment has a higher number.
    private var highestNumber: SegmentNumber

    init(_ opened: OpenedStore, options: LogOptions, environment: Environment) {
        layout = opened.layout
        manifests = opened.manifests
        active = opened.active
        memory = opened.memory
        mark = opened.mark
        lock = opened.lock
        sealed = SealedSegments(opened.manifests.current.segments)
        highestNumber = max(opened.manifests.current.highestSegment, opened.active.head.segment)
        access = SegmentAccess(opened.layout, environment.disk)
        for fault in opened.report.faults { access.faults.report(fault) }
        graveyard = Graveyard(access) { [alarm] in alarm.ring() }
        era = SnapshotEra(graveyard)
        room = WriterRoom(environment.disk, opened.layout, opened.reserve)
        erasures = Erasures(opened.manifests.current.lists.tombstones, options.keys)
        self.options = options
        self.environment = environment
    }

    var keys: StreamKeys? { options.keys }

    var manifest: Manifest { manifests.current }
    var now: UInt64 { environment.now() }

    /// What readers see: everything that is durable.
    var snapshot: LogSnapshot {
        LogSnapshot(
            manifest: manifests.current, sealed: sealed, active: ActiveView(active), access: access,
            erasures: erasures, era: era)
    }

    /// Makes appends durable together and answers each. An append that is answered with success is on
    /// disk; one that is answered with an error is not, unless the log is poisoned: then nobody knows.
    func commit(_ appends: [PendingAppend]) -> [Result<AppendOutcome, StoreError>] {
        report = nil
        if let poison { return appends.map { _ in .failure(.poisoned(by: poison)) } }
        do throws(StoreError) {
            let plan = CommitPlan(
                appends, after: memory, nextSequence: nextSequence, horizon: manifest.horizon,
                resolution: manifest.resolution, now: environment.now())
            guard !plan.isEmpty else { return plan.answers }
            try room.take(plan, appends: appends.count, now: environment.now())
            try makeRoom(for: plan)
            try write(plan, batches: appends.count)
            return plan.answers
        } catch {
            return appends.map { _ in .failure(poisoning(error)) }
        }
    }

    private var nextSequence: Sequence { active.nextSequence }

    private func makeRoom(for plan: CommitPlan) throws(StoreError) {
        let isFull =
            active.totals.rawBytes >= UInt64(options.sealBytes)
            || active.totals.blocks + plan.blockCount > Bounds.segmentBlocks
            || active.keyed.count + plan.keyed.count > FormatBounds.deliveries
            || active.keys.count + plan.keyCount > Bounds.segmentKeys
        if isFull || isOld { try roll() }
        try listUnlisted()
        if plan.nextSequence > manifest.firstUnreserved {
            try manifests.update { $0.firstUnreserved.value += Bounds.sequenceReservation }
        }
    }

    private func write(_ plan: CommitPlan, batches: Int) throws(StoreError) {
        var blocks: [NewBlock] = []
        for index in 0..<plan.blockCount {
            let planned = index < plan.blocks.count ? plan.blocks[index] : nil
            var meta = BlockMeta(
                segment: active.head.segment, commit: active.nextCommit, indexInCommit: index,
                blocksInCommit: plan.blockCount, nextSequence: planned?.firstSequence ?? plan.nextSequence,
                keyed: index == 0 ? plan.keyed : [], sourced: index == 0 ? plan.sourced : [])
            if let planned { meta.hold(planned.content) }
            blocks.append(
                NewBlock(meta: meta, data: planned?.content.data ?? [], keys: planned?.content.keys ?? []))
        }
        let start = active.length
        let syncNanoseconds = try active.commit(blocks, uptime: environment.uptime)
        report = CommitReport(
            batches: batches, events: blocks.reduce(0) { $0 + $1.meta.lines }, bytes: active.length - start,
            syncNanoseconds: syncNanoseconds)
        for delivery in plan.keyed { memory.remember(delivery) }
        for delivery in plan.sourced { memory.remember(delivery) }
        memory.trim(now: environment.now())
        writeMark()
    }

    /// The mark is for readers of other processes and is never synced: what it tells is durable
    /// already, so a failure to write it takes back no acknowledgement. On a full disk the next commit
    /// writes it again.
    private func writeMark() {
        do throws(StoreError) {
            try mark.write(active.mark.encoded(), at: 0)
        } catch {
            if error.code != .noSpace { poison = error }
        }
    }

    // MARK: - Sealing

    private var isOld: Bool {
        let now = environment.now()
        return active.totals.blocks > 0 && now > active.opened
            && now - active.opened >= options.sealMilliseconds
    }

    /// When the active segment will be due, in milliseconds from now; `nil` while it is empty.
    var millisecondsUntilDue: UInt64? {
        guard poison == nil, active.totals.blocks > 0 else { return nil }
        let now = environment.now()
        let age = now - min(now, active.opened)
        return options.sealMilliseconds - min(age, options.sealMilliseconds)
    }

    /// Seals the active segment if it is due; `force` seals it whatever its age, unless it is empty.
    func seal(force: Bool) throws(StoreError) {
        if let poison { throw .poisoned(by: poison) }
        guard active.totals.blocks > 0, force || isOld else { return }
        do throws(StoreError) {
            try roll()
            try listUnlisted()
        } catch {
            throw poisoning(error)
        }
    }

    /// Seal synced, then the next segment in `hot/`, then the manifest, then the first append: whatever
    /// this is cut by, `hot/` says what lives. The next file is made first, so that a full disk is met
    /// before the seal.
    private func roll() throws(StoreError) {
        try listUnlisted()
        let now = environment.now()
        let head = SegmentHead(
            store: manifest.store, segment: takeNumber(), salt: Salt(environment.random()),
            stream: manifest.stream, resolution: manifest.resolution,
            created: manifest.resolution.bucket(of: now).milliseconds, horizon: manifest.horizon)
        let next = try ActiveSegment.create(head, layout, environment.disk, nextSequence: nextSequence, now: now)
        let entry = try active.seal(sources: memory.sortedSources, now: now)
        do throws(StoreError) {
            try next.publish(layout, environment.disk)
        } catch {
            poison = error
            throw error
        }
        active = next
        sealed.append(entry)
        unlisted = entry
        try listUnlisted()
        writeMark()
    }

    private func listUnlisted() throws(StoreError) {
        guard let entry = unlisted else { return }
        try manifests.update { $0.list([entry], active: active.head.segment, highest: highestNumber) }
        unlisted = nil
    }

    // MARK: - Jobs

    func forgetBatches(_ tombstone: Tombstone) { memory.forgetBatches(tombstone) }

    /// Takes segments out of the store and others in, in one manifest. The files of those taken out go once
    /// no snapshot of before is held.
    func exchange(
        _ inputs: [SegmentEntry], for outputs: [SegmentEntry], _ change: (inout Manifest) -> Void = { _ in }
    ) throws(StoreError) {
        let removed = Set(inputs.map(\.segment))
        do throws(StoreError) {
            try updateManifest {
                $0.list(outputs, removing: removed, active: active.head.segment, highest: highestNumber)
                change(&$0)
            }
        } catch {
            // A slot may list them, until the next manifest is written.
            strays += outputs.map(doomed)
            throw error
        }
        sealed = SealedSegments(manifest.segments)
        era = era.end(dooming: inputs.map(doomed))
    }

    fileprivate func takeErasures() { erasures = Erasures(manifest.lists.tombstones, options.keys) }

    private func doomed(_ entry: SegmentEntry) -> DoomedFile {
        DoomedFile(segment: entry.segment, path: layout.path(of: entry), firstBucket: entry.firstBucket)
    }

    /// A number for a new segment. After a crash one that reached no manifest is given out again: no file
    /// of that number lives then.
    func takeNumber() -> SegmentNumber {
        highestNumber = highestNumber.next
        return highestNumber
    }

    // MARK: - The end

    /// A full disk may have room again; after anything else nothing is certain.
    private func poisoning(_ error: StoreError) -> StoreError {
        if error.code == .noSpace { room.forget() } else if poison == nil { poison = error }
        return error
    }

    /// Records how far the active segment goes, so that the next open need not look, and gives up the
    /// lock. Poisoned, it only gives up the lock, and throws.
    func close() throws(StoreError) {
        defer { lock.close() }
        if let poison { throw .poisoned(by: poison) }
        let clean = CleanClose(
            segment: active.head.segment, salt: active.head.salt, length: active.length,
            lastCommit: active.totals.lastCommit,
            nextSequence: nextSequence)
        do throws(StoreError) {
            try room.payingFromReserve { () throws(StoreError) in
                try listUnlisted()
                try manifests.update { $0.cleanClose = clean }
            }
        } catch {
            throw poisoning(error)
        }
    }
}

extension LogWriter {
    /// Changes the manifest, durably. Where this throws, nothing was changed or the log is poisoned.
    func updateManifest(_ change: (inout Manifest) -> Void) throws(StoreError) {
        if let poison { throw .poisoned(by: poison) }
        let tombstones = manifest.lists.tombstones
        do throws(StoreError) {
            try room.payingFromReserve { () throws(StoreError) in
                try listUnlisted()
                try manifests.update(change)
            }
        } catch {
            throw poisoning(error)
        }
        if tombstones != manifest.lists.tombstones { takeErasures() }
        graveyard.take(strays)
        strays = []
    }
}
