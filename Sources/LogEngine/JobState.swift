import SegmentFormat

/// What a job plans with, taken between two commits.
struct JobState: Sendable {
    let manifest: Manifest
    let active: ActiveView
    /// When the active segment was made, floored.
    let activeCreated: UInt64
    /// The whole source table.
    let sources: [SourceDelivery]
    /// Deliveries of the active segment.
    let activeKeyed: [KeyedDelivery]
    let now: UInt64
}

extension LogWriter {
    var jobState: JobState {
        JobState(
            manifest: manifest, active: ActiveView(active), activeCreated: active.head.created,
            sources: memory.sortedSources, activeKeyed: active.keyed, now: environment.now())
    }

    /// Purges what lies before `horizon` from every read. Where the active segment holds such events, it is
    /// sealed.
    func raiseHorizon(to wanted: Bucket, purgedThrough: Sequence, hasView: Bool) throws(StoreError) {
        // Events may have come since the checkpoints were written.
        let horizon = min(wanted, jobState.unheld(hasView: hasView))
        try updateManifest {
            $0.horizon = max($0.horizon, horizon)
            $0.purgedThrough = max($0.purgedThrough, purgedThrough)
        }
        let totals = active.totals
        if totals.lines > 0, totals.firstBucket < manifest.horizon { try seal(force: true) }
    }

    func record(_ job: JobRecord.Job, _ now: UInt64, hasSucceeded: Bool) throws(StoreError) {
        let time = manifest.resolution.bucket(of: now).milliseconds
        try updateManifest { manifest in
            var record = manifest.lists.jobs.first { $0.job == job } ?? JobRecord(job: job, lastRun: 0, lastSuccess: 0)
            record.lastRun = time
            if hasSucceeded { record.lastSuccess = time }
            manifest.lists.jobs.removeAll { $0.job == job }
            manifest.lists.jobs.append(record)
            manifest.lists.jobs.sort { $0.job.rawValue < $1.job.rawValue }
        }
    }
}

// What jobs ask of the log, from their own threads.
extension EventLog {
    func jobState() throws(StoreError) -> JobState {
        try performAndWait { (writer) throws(StoreError) in writer.jobState }
    }

    /// The floored times of runs are kept in the manifest.
    func record(_ job: JobRecord.Job, _ now: UInt64, hasSucceeded: Bool) throws(StoreError) {
        try performAndWait { (writer) throws(StoreError) in
            try writer.record(job, now, hasSucceeded: hasSucceeded)
        }
    }

    /// For a job of several others.
    public func record(_ job: JobRecord.Job, hasSucceeded: Bool) async throws(StoreError) {
        try await perform { (writer) throws(StoreError) in
            try writer.record(job, writer.now, hasSucceeded: hasSucceeded)
        }
    }

    func exchange(
        _ inputs: [SegmentEntry], for outputs: [SegmentEntry],
        _ change: @escaping @Sendable (inout Manifest) -> Void = { _ in }
    ) throws(StoreError) {
        try performAndWait { (writer) throws(StoreError) in try writer.exchange(inputs, for: outputs, change) }
        // Else the first who asks for a key waits until the indexes of all of them are read.
        guard keys != nil else { return }
        let access = snapshot().access
        for entry in outputs.suffix(Bounds.openSegments) { _ = try access.open(entry, store: store) }
    }

    /// Removes files that are listed no more. Reads of those that must go, and of what left the store before
    /// them, may take `grace` milliseconds to end.
    func bury(after grace: UInt64, _ mustGo: (DoomedFile) -> Bool) throws(StoreError) {
        let graveyard = try performAndWait { (writer) throws(StoreError) in writer.graveyard }
        graveyard.free(after: grace, mustGo)
        try performAndWait { (writer) throws(StoreError) in try writer.graveyard.empty() }
    }

    /// Fails with `noSpace` where the file system has less than `bytes`, and what is to be left.
    func requireRoom(_ bytes: UInt64, leaving rest: UInt64 = 0) throws(StoreError) {
        guard let free = freeBytes(), free < bytes + rest else { return }
        throw StoreError(
            .noSpace, layout.root,
            "\(bytes) bytes are wanted" + (rest > 0 ? " beside the \(rest) in reserve" : "") + ", and \(free) are free")
    }

    /// Writes the lines of `inputs` that may not go into new cold segments, which nobody lists yet.
    func rewrite(
        _ inputs: [SegmentEntry], _ state: JobState, _ options: CompactionOptions, leavingOutDamage: Bool = false,
        checkpoint: @escaping (JobProgress) throws(StoreError) -> Void
    ) throws(StoreError) -> [SegmentEntry] {
        try requireKeys(for: inputs, state)
        let task = Rewrite(
            inputs: inputs,
            floor: Retention.disposable(before: state.manifest.horizon, holds: state.manifest.lists.holds.all),
            manifest: state.manifest,
            keyed: try rememberedKeys(of: inputs, state, leavingOutDamage: leavingOutDamage), sources: state.sources,
            leavesOutDamage: leavingOutDamage, now: state.now)
        return try Rewriter(task, options, self, checkpoint: checkpoint).run()
    }

    /// What has keys is not written without them: what is erased would come back, and the order of arrival show.
    private func requireKeys(for inputs: [SegmentEntry], _ state: JobState) throws(StoreError) {
        guard keys == nil else { return }
        guard state.manifest.lists.tombstones.isEmpty else { throw .keyless(layout.root) }
        let access = SegmentAccess(layout, disk)
        for entry in inputs {
            if case .sealed = try access.open(entry, store: state.manifest.store)?.keys { throw .keyless(layout.root) }
        }
    }

    /// A cold segment without lines, of what is remembered of the deliveries of `inputs`.
    func carry(
        _ inputs: [SegmentEntry], _ state: JobState, _ options: CompactionOptions
    ) throws(StoreError) -> [SegmentEntry] {
        let task = Rewrite(
            inputs: inputs, floor: .latest, manifest: state.manifest, keyed: try rememberedKeys(of: inputs, state),
            sources: state.sources, now: state.now)
        return try Rewriter(task, options, self) { _ in }.run()
    }

    /// The keys that a repeat of a delivery may still name.
    private func rememberedKeys(
        of inputs: [SegmentEntry], _ state: JobState, leavingOutDamage: Bool = false
    ) throws(StoreError) -> [KeyedDelivery] {
        var keyed: [KeyedDelivery] = []
        let tombstone = state.manifest.lists.furthestTombstone
        for entry in inputs where entry.remembersKeys(at: state.now, state.manifest.resolution) {
            let file = try StoreFile(disk, layout.path(of: entry), .read)
            let seal = try SegmentIndex.readSeal(
                file, length: entry.length, segment: entry.segment, salt: entry.salt)
            switch seal {
            case .success(let seal):
                keyed += seal.keyed.filter {
                    $0.outcome.isRemembered(at: state.now, state.manifest.resolution)
                }.map { $0.forgettingBatch(tombstone) }
            case .failure(let fault):
                if leavingOutDamage { continue }
                throw .corrupt(file.path, "the segment is damaged; `daybook repair` keeps what is good", fault)
            }
        }
        return Array(keyed.suffix(FormatBounds.deliveries))
    }
}

extension JobState {
    /// The latest time that the store can vouch for: from its making, or its last purge, through sealings and
    /// runs of jobs that lie no more than `step` apart. So what was written while a clock was wrong says
    /// nothing.
    func latestTimeSeen(step: UInt64) -> UInt64 {
        let purge = manifest.lists.jobs.first { $0.job == .purge }?.lastRun ?? 0
        var seen = max(manifest.created, purge)
        let times = manifest.segments.map(\.sealed) + manifest.lists.jobs.map(\.lastRun) + [activeCreated]
        for time in times.sorted() where time > seen {
            guard time - seen <= step else { break }
            seen = time
        }
        return seen
    }

    /// Whether what is remembered of deliveries would be forgotten with these segments. The newest source
    /// table is in the hot segment or in the cold one with the highest number.
    func mustCarryDeliveries(of dropped: [SegmentEntry]) -> Bool {
        if dropped.contains(where: { $0.remembersKeys(at: now, manifest.resolution) }) { return true }
        let newest = [
            manifest.segments.last { $0.day == nil }, manifest.segments.last { $0.day != nil },
        ]
        return !sources.isEmpty && dropped.contains { entry in newest.contains { $0?.segment == entry.segment } }
    }
}

extension SegmentEntry {
    /// Whether it may hold keys that are not forgotten.
    func remembersKeys(at now: UInt64, _ resolution: Resolution) -> Bool {
        let memory = Bounds.keyMemoryMilliseconds + 2 * resolution.milliseconds
        return deliveries > 0 && (now < sealed || now - sealed <= memory)
    }
}

extension DeliveryOutcome {
    /// Its time is floored, so it may be remembered one resolution longer.
    func isRemembered(at now: UInt64, _ resolution: Resolution) -> Bool {
        now <= time || now - time <= Bounds.keyMemoryMilliseconds + resolution.milliseconds
    }
}
