import SegmentFormat

/// What a compaction did.
public struct CompactionReport: Sendable {
    public var passes = 0
    /// Segments that were taken out, and put in.
    public var segmentsIn = 0
    public var segmentsOut = 0
    public var events: UInt64 = 0
    /// Of the files, before and after.
    public var bytesIn: UInt64 = 0
    public var bytesOut: UInt64 = 0
    /// Segments that are left as they are because they are damaged.
    public var damaged: [FileFault] = []
}

extension EventLog {
    /// Turns sealed hot segments into cold ones, and small cold ones into large ones, until there is nothing
    /// left to do (SPEC M1–M5). Works beside appends and reads, on a thread of its own.
    ///
    /// - Parameter progress: called on that thread, once a block.
    public func compact(
        _ options: CompactionOptions = CompactionOptions(), control: JobControl = JobControl(),
        progress: @escaping @Sendable (JobProgress) -> Void = { _ in }
    ) async throws(StoreError) -> CompactionReport {
        try await JobThread.run(control) { () throws(StoreError) in
            let job = Compaction(self, options, control, progress)
            return try job.run()
        }
    }
}

private final class Compaction {
    private let log: EventLog
    private let options: CompactionOptions
    private let control: JobControl
    private let progress: @Sendable (JobProgress) -> Void
    private var report = CompactionReport()
    private var excluded: Set<SegmentNumber> = []

    init(
        _ log: EventLog, _ options: CompactionOptions, _ control: JobControl,
        _ progress: @escaping @Sendable (JobProgress) -> Void
    ) {
        self.log = log
        self.options = options
        self.control = control
        self.progress = progress
    }

    func run() throws(StoreError) -> CompactionReport {
        var state = try log.jobState()
        try log.record(.compact, state.now, hasSucceeded: false)
        if try holdsErased(state.active, state) {
            try log.performAndWait { (writer) throws(StoreError) in try writer.seal(force: true) }
        }
        while true {
            log.gate.enter(isUrgent: false)
            defer { log.gate.leave() }
            state = try log.jobState()
            guard let inputs = nextInputs(state) else { break }
            try pass(inputs, state)
        }
        try removeSuperseded()
        try erase()
        try log.record(.compact, state.now, hasSucceeded: true)
        return report
    }

    private func nextInputs(_ state: JobState) -> [SegmentEntry]? {
        for stretch in state.manifest.stretches {
            let plan = CompactionPlan.next(
                stretch, today: Bucket(milliseconds: state.now).segmentDay, segmentBytes: options.segmentBytes,
                excluding: excluded)
            if !plan.inputs.isEmpty { return plan.inputs }
        }
        return nil
    }

    /// Writes the cold segments anew where most of their lines are needed no more: the newest ones, which
    /// make others needless, are as a rule kept, so a line is written about as often as with merges.
    private func removeSuperseded() throws(StoreError) {
        guard let succession = log.keys?.succession else { return }
        let cold = try log.jobState().manifest.segments.filter { $0.day != nil && !$0.isDamaged && $0.lines > 0 }
        let lines = cold.reduce(0) { $0 + $1.lines }
        guard lines > Bounds.supersededShare * max(succession.lines(), 1) else { return }
        for entry in cold where !excluded.contains(entry.segment) {
            log.gate.enter(isUrgent: false)
            defer { log.gate.leave() }
            let state = try log.jobState()
            if state.manifest.segments.contains(entry) { try pass([entry], state) }
        }
    }

    /// Writes anew, one by one, the segments that still hold what was erased, and forgets the tombstones of
    /// which nothing is left.
    private func erase() throws(StoreError) {
        let first = try log.jobState()
        guard let tombstone = first.manifest.lists.furthestTombstone else { return }
        guard log.keys != nil else { throw .keyless(log.layout.root) }
        try log.performAndWait { (writer) throws(StoreError) in writer.forgetBatches(tombstone) }
        var examined: Set<SegmentNumber> = []
        while true {
            log.gate.enter(isUrgent: false)
            defer { log.gate.leave() }
            let state = try log.jobState()
            guard let entry = state.manifest.segments.first(where: { !examined.contains($0.segment) }) else { break }
            let isDone = entry.isDamaged || excluded.contains(entry.segment)
            guard !isDone, try holdsErased(entry, state) else {
                examined.insert(entry.segment)
                continue
            }
            try pass([entry], state)
        }
        try renewCheckpoints(since: first.manifest.eraseCount)
        try forget(first.manifest.lists.tombstones, erasedBy: first.manifest.eraseCount)
    }

    /// Has no checkpoint hold what was erased by the erase count `count`.
    private func renewCheckpoints(since count: UInt64) throws(StoreError) {
        for _ in 0..<Checkpoint.generations where try log.jobState().manifest.lists.mayHoldErased(by: count) {
            try log.writeCheckpoint(evenIfSame: true)
        }
    }

    private func holdsErased(_ active: ActiveView, _ state: JobState) throws(StoreError) -> Bool {
        guard let tombstone = state.manifest.lists.furthestTombstone else { return false }
        if state.activeKeyed.contains(where: { $0.mayTell(of: tombstone) }) { return true }
        return try ErasedLines(state, log).areIn(active)
    }

    private func holdsErased(_ entry: SegmentEntry, _ state: JobState) throws(StoreError) -> Bool {
        if try ErasedLines(state, log).areIn(entry) { return true }
        guard entry.deliveries > 0, let tombstone = state.manifest.lists.furthestTombstone else { return false }
        let file = try StoreFile(log.disk, log.layout.path(of: entry), .read)
        let seal = try SegmentIndex.readSeal(file, length: entry.length, segment: entry.segment, salt: entry.salt)
        // One that cannot be read is for the pass to report.
        guard case .success(let found) = seal else { return true }
        return found.keyed.contains { $0.mayTell(of: tombstone) }
    }

    private func forget(_ tombstones: [Tombstone], erasedBy count: UInt64) throws(StoreError) {
        let state = try log.jobState()
        guard !state.manifest.lists.mayHoldErased(by: count) else { return }
        let erased = ErasedLines(state, log, heldToo: true)
        for entry in state.manifest.segments {
            guard !entry.isDamaged, try !erased.areIn(entry) else { return }
        }
        guard try !erased.areIn(state.active) else { return }
        try log.performAndWait { (writer) throws(StoreError) in try writer.forget(tombstones) }
    }

    private func pass(_ inputs: [SegmentEntry], _ state: JobState) throws(StoreError) {
        do throws(StoreError) {
            try log.requireRoom(inputs.reduce(0) { $0 + $1.length }, leaving: log.reserveBytes)
            let outputs = try log.rewrite(inputs, state, options) { (done) throws(StoreError) in
                if self.control.isCancelled { throw .cancelled }
                if self.log.gate.isWantedUrgently { throw .interrupted }
                self.progress(done)
            }
            try log.exchange(inputs, for: outputs)
            report.add(inputs, outputs)
            // Whatever their sizes are, they are not joined again and again.
            if outputs.count >= inputs.count, inputs.allSatisfy({ $0.day != nil }) {
                excluded.formUnion(outputs.map(\.segment))
            }
        } catch {
            switch error.code {
            case .interrupted: return
            case .corrupt:
                // The others are tried without it; `repair` says what is lost of it.
                guard let damaged = inputs.first(where: { log.layout.path(of: $0) == error.path }),
                    let fault = error.fault, excluded.insert(damaged.segment).inserted
                else { throw error }
                report.damaged.append(FileFault(path: error.path, fault: fault))
            default: throw error
            }
        }
    }
}

extension ManifestLists {
    /// Whether there is a checkpoint that was written before the erase count was `count`.
    fileprivate func mayHoldErased(by count: UInt64) -> Bool { checkpoints.contains { $0.eraseCount < count } }
}

extension CompactionReport {
    fileprivate mutating func add(_ inputs: [SegmentEntry], _ outputs: [SegmentEntry]) {
        passes += 1
        segmentsIn += inputs.count
        segmentsOut += outputs.count
        events += outputs.reduce(0) { $0 + $1.lines }
        bytesIn += inputs.reduce(0) { $0 + $1.length }
        bytesOut += outputs.reduce(0) { $0 + $1.length }
    }
}
