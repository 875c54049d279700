import SegmentFormat

extension EventLog {
    /// Throws away what the policies say (SPEC §15). Works beside appends and reads, on a thread of its own.
    public func purge(
        _ options: PurgeOptions = PurgeOptions(), control: JobControl = JobControl(),
        progress: @escaping @Sendable (JobProgress) -> Void = { _ in }
    ) async throws(StoreError) -> PurgeReport {
        try await JobThread.run(control) { () throws(StoreError) in
            self.gate.enter(isUrgent: true)
            defer { self.gate.leave() }
            let job = Purge(self, options, control, progress)
            return try job.run()
        }
    }
}

private final class Purge {
    private let log: EventLog
    private let options: PurgeOptions
    private let control: JobControl
    private let progress: @Sendable (JobProgress) -> Void
    private let survey: PurgeSurvey

    init(
        _ log: EventLog, _ options: PurgeOptions, _ control: JobControl,
        _ progress: @escaping @Sendable (JobProgress) -> Void
    ) {
        self.log = log
        self.options = options
        self.control = control
        self.progress = progress
        survey = PurgeSurvey(log, policy: options.policy)
    }

    func run() throws(StoreError) -> PurgeReport {
        do throws(StoreError) {
            return try purge()
        } catch {
            // What the job lent has to be asked for, whatever it failed with; that is what is told.
            _ = Result { () throws(StoreError) in try takeReserve() }
            throw error
        }
    }

    private func takeReserve() throws(StoreError) -> Bool {
        try log.performAndWait { (writer) throws(StoreError) in try writer.room.takeReserve() }
    }

    private func purge() throws(StoreError) -> PurgeReport {
        var state = try log.jobState()
        if !options.allowsStep { try state.checkClock(step: options.maxStep, log.layout.root) }
        // Before a purge does anything it has the checkpoints hold what goes.
        let wanted = try survey.plan(state, unheld: .latest)
        if options.isDryRun { return PurgeReport(plan: try survey.told(wanted, state)) }
        let failure = try secure(wanted, &state)
        var found = try survey.plan(state, unheld: log.unheld(state))
        var report = PurgeReport(plan: try survey.told(found, state))
        if found.horizon < wanted.horizon, found.stoppedBy == nil {
            report.heldBack =
                failure ?? "events that came while checkpoints were written stay until the next purge"
        }
        guard found.horizon > state.manifest.horizon || !found.actions.isEmpty else {
            try bury(found, state)
            try log.record(.purge, state.now, hasSucceeded: true)
            return report
        }
        try raiseHorizon(to: found, try survey.told(found, state))
        let horizonBefore = state.manifest.horizon
        state = try log.jobState()
        found = try survey.plan(state, unheld: log.unheld(state))
        let plan = try survey.told(found, state, horizonBefore: horizonBefore)
        if !plan.segments.isEmpty { try record(plan, at: state.manifest.resolution.bucket(of: state.now).milliseconds) }
        report.plan = plan
        let allocated = try survey.allocatedBytes(state)
        try drop(found, plan, state)
        try bury(found, state)
        try removeAside(before: Retention.disposable(before: found.horizon, holds: state.manifest.lists.holds.all))
        for (segment, action) in found.actions where action == .rewrite {
            if control.isCancelled { throw .cancelled }
            try rewrite(segment.entry, plan, &report)
            try bury(found, state)
        }
        try removeEmptyDays()
        let left = try survey.allocatedBytes(try log.jobState())
        report.freedBytes = allocated - min(allocated, left)
        try log.record(.purge, state.now, hasSucceeded: report.deferred.isEmpty)
        report.hasReserve = try takeReserve()
        return report
    }

    /// Has both checkpoints of the stream's view hold what is to go. Returns why one could not be written.
    private func secure(_ wanted: RetentionPlan, _ state: inout JobState) throws(StoreError) -> String? {
        guard wanted.horizon > state.manifest.horizon || !wanted.actions.isEmpty else { return nil }
        var failure: String?
        var isFirst = true
        for _ in 0..<Checkpoint.generations where isFirst || log.unheld(state) < wanted.horizon {
            isFirst = false
            do throws(StoreError) { try writeCheckpoint() } catch {
                failure = "no checkpoint of the view can be written (\(error.description))"
                break
            }
            state = try log.jobState()
        }
        return failure
    }

    /// On a full disk RESERVE pays for it.
    private func writeCheckpoint() throws(StoreError) {
        do throws(StoreError) { try log.writeCheckpoint(evenIfSame: true) } catch {
            guard error.code == .noSpace else { throw error }
            try log.performAndWait { (writer) throws(StoreError) in try writer.room.lendReserve() }
            try log.writeCheckpoint(evenIfSame: true)
        }
    }

    /// On a full disk RESERVE pays for what follows.
    private func raiseHorizon(to found: RetentionPlan, _ plan: PurgePlan) throws(StoreError) {
        let horizon = found.horizon
        let purged = plan.segments.map(\.lastSequence).max() ?? Sequence(0)
        let isFull = log.freeBytes().map { $0 < log.reserveBytes } ?? false
        let hasView = log.kept.view != nil
        try log.performAndWait { (writer) throws(StoreError) in
            if isFull { try writer.room.lendReserve() }
            try writer.raiseHorizon(to: horizon, purgedThrough: purged, hasView: hasView)
        }
    }

    // MARK: - Execution

    private func record(_ plan: PurgePlan, at time: UInt64) throws(StoreError) {
        try log.audit.append([AuditEntry(line: plan.record(at: time), time: time)])
    }

    /// What is wholly past the horizon leaves the store in one manifest, but for what is still remembered
    /// of deliveries.
    private func drop(_ found: RetentionPlan, _ plan: PurgePlan, _ state: JobState) throws(StoreError) {
        let dropped = found.actions.filter { $0.action == .drop }.map(\.segment.entry)
        guard !dropped.isEmpty else { return }
        var outputs: [SegmentEntry] = []
        if state.mustCarryDeliveries(of: dropped) {
            let without = dropped.filter { !$0.isDamaged }
            outputs = try log.carry(without, state, options.compaction)
        }
        let purged = plan.segments.filter { $0.action == .dropped }.map(\.lastSequence).max() ?? Sequence(0)
        // Horizons do not tell cursors of what lay in the future.
        let today = Bucket(milliseconds: state.now).segmentDay
        let isEarly = dropped.contains { $0.isEarly(today) }
        try log.exchange(dropped, for: outputs) {
            $0.purgedThrough = max($0.purgedThrough, purged)
            if isEarly { $0.eraseCount += 1 }
        }
    }

    /// Removes the files of segments that the purge took out, and those that a compaction did and that hold
    /// what may go.
    private func bury(_ found: RetentionPlan, _ state: JobState) throws(StoreError) {
        let floor = Retention.disposable(before: found.horizon, holds: state.manifest.lists.holds.all)
        let touched = Set(found.actions.map(\.segment.entry.segment))
        try log.bury(after: options.readerGrace) { $0.firstBucket < floor || touched.contains($0.segment) }
    }

    /// No other job makes a file in them meanwhile: the gate is held.
    private func removeEmptyDays() throws(StoreError) {
        let days = Set(try log.jobState().manifest.segments.compactMap(\.day))
        var isChanged = false
        for name in try log.disk.names(in: log.layout.cold) {
            guard let day = Layout.coldDay(named: name), !days.contains(day) else { continue }
            let directory = log.layout.coldDirectory(day)
            guard try log.disk.names(in: directory).isEmpty else { continue }
            try log.disk.removeEmptyDirectory(directory)
            isChanged = true
        }
        if isChanged { try log.disk.syncNames(of: log.layout.cold, .removedSegments) }
    }

    /// Damaged files that `repair` kept, which may hold what goes.
    private func removeAside(before floor: Bucket) throws(StoreError) {
        guard try log.disk.fileLength(log.layout.damaged) != nil else { return }
        var isChanged = false
        for name in try log.disk.names(in: log.layout.damaged) {
            guard let bucket = Layout.damagedBucket(named: name), bucket < floor else { continue }
            try log.disk.removeFile("\(log.layout.damaged)/\(name)")
            isChanged = true
        }
        if isChanged { try log.disk.syncNames(of: log.layout.damaged, .removedSegments) }
    }

    private func rewrite(_ entry: SegmentEntry, _ plan: PurgePlan, _ report: inout PurgeReport) throws(StoreError) {
        guard let told = plan.segments.first(where: { $0.number == entry.segment }) else { return }
        let wanted = entry.length
        do throws(StoreError) {
            try log.requireRoom(wanted)
            let state = try log.jobState()
            let outputs = try log.rewrite([entry], state, options.compaction) { (done) throws(StoreError) in
                if self.control.isCancelled { throw .cancelled }
                self.progress(done)
            }
            let purged = told.lastSequence
            try log.exchange([entry], for: outputs) { $0.purgedThrough = max($0.purgedThrough, purged) }
        } catch {
            switch error.code {
            case .noSpace:
                report.deferred.append(.init(segment: told, bytesWanted: wanted, reason: error.message))
            case .corrupt:
                report.deferred.append(.init(segment: told, bytesWanted: nil, reason: error.message))
            default: throw error
            }
        }
    }
}
