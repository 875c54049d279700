import SegmentFormat
import Synchronization

// Checkpoints of the view that somebody folds from the events of a log (SPEC §27): lines of his own, in a segment
// of their own in `views/`. What was purged is in them alone, so there are two, each is checked when it is read,
// and purge takes nothing that is not in both.

/// A view of a log, as far as the log has to know it.
public struct LogView: Sendable {
    /// Gives the lines of a checkpoint, without their LFs. `through`: the last sequence that is in the view.
    public typealias Lines =
        @Sendable (
            _ through: Sequence, _ body: ([UInt8]) throws(StoreError) -> Void
        ) throws(StoreError) -> Void

    /// Takes the view as it is. Called on the committer's thread, which must not be held up, between two commits
    /// and behind the completions of all earlier appends; what it returns, once and on another thread.
    public var take: @Sendable () -> Lines

    public init(take: @escaping @Sendable () -> Lines) { self.take = take }
}

extension EventLog {
    /// Names the view of this log, which has all of its events by now. From then on purges have checkpoints hold
    /// what goes, and compactions have none hold what is erased.
    public func keep(_ view: LogView) { kept.set(view) }

    /// Writes a checkpoint of the view, durably, unless the newest one says the same; the one before that goes.
    public func checkpoint(control: JobControl = JobControl()) async throws(StoreError) {
        try await JobThread.run(control) { () throws(StoreError) in try self.writeCheckpoint(evenIfSame: false) }
    }

    /// The same for the thread of a job.
    func writeCheckpoint(evenIfSame: Bool) throws(StoreError) {
        guard let view = kept.view else { return }
        kept.turn.enter(isUrgent: false)
        defer { kept.turn.leave() }
        let listed = try jobState().manifest.lists.checkpoints
        let sound = newestSound(listed)
        let isWanted = evenIfSame || sound != listed.last
        let taken = try performAndWait { (writer) throws(StoreError) in
            try writer.take(view, evenIfSame: isWanted)
        }
        guard let taken else { return }
        let checkpoint = try CheckpointWriter(taken, layout, environment).write()
        let kept = (sound.map { [$0] } ?? []) + [checkpoint]
        try performAndWait { (writer) throws(StoreError) in
            try writer.updateManifest { $0.lists.checkpoints = kept }
        }
        try disk.removeCheckpoints(besides: kept, layout)
    }

    /// It stays beside the one that is written, until a further one is.
    private func newestSound(_ checkpoints: [Checkpoint]) -> Checkpoint? {
        checkpoints.last { checkpoint in
            let read = Result { () throws(StoreError) in try checkpoint.requireSound(layout, disk) }
            if case .success = read { return true }
            return false
        }
    }

    /// The first bucket of events that are not in both checkpoints: none of them may be purged. Where there are not
    /// two no horizon may rise: the view has to be made from all events.
    func unheld(_ state: JobState) -> Bucket { state.unheld(hasView: kept.view != nil) }
}

extension JobState {
    func unheld(hasView: Bool) -> Bucket {
        let checkpoints = manifest.lists.checkpoints
        guard hasView || !checkpoints.isEmpty else { return .latest }
        guard checkpoints.count == Checkpoint.generations else { return .earliest }
        let held = checkpoints[0].through
        var first = active.totals.reaches(beyond: held) ? active.totals.firstBucket : .latest
        for entry in manifest.segments where entry.reaches(beyond: held) { first = min(first, entry.firstBucket) }
        return first
    }
}

extension SegmentTotals {
    /// Whether it has events above `sequence`.
    func reaches(beyond sequence: Sequence) -> Bool { lines > 0 && nextSequence > sequence + 1 }
}

extension SegmentEntry {
    /// Whether it has events above `sequence`.
    func reaches(beyond sequence: Sequence) -> Bool { lines > 0 && nextSequence > sequence + 1 }
}

extension Manifest {
    /// The segments in stretches between the checkpoints. No pass joins some of two stretches: which of its events
    /// a checkpoint has can be told of whole segments alone (SPEC M7).
    var stretches: [[SegmentEntry]] {
        let ends = lists.checkpoints.map { $0.through + 1 }
        let byStretch = Dictionary(grouping: segments) { entry in ends.count { $0 < entry.nextSequence } }
        return byStretch.sorted { $0.key < $1.key }.map(\.value)
    }
}

/// The view of a log, and whose turn it is to write a checkpoint of it.
final class KeptView: Sendable {
    private let held = Mutex<LogView?>(nil)
    let turn = RewriteGate()

    var view: LogView? { held.withLock { $0 } }
    func set(_ view: LogView) { held.withLock { $0 = view } }
}

/// A view as it was between two commits.
struct TakenView: Sendable {
    let lines: LogView.Lines
    let through: Sequence
    let manifest: Manifest
    let now: UInt64
}

extension LogWriter {
    /// The events of the active segment are sealed, so that each segment lies before or behind the checkpoint.
    /// `nil` where the newest checkpoint says the same, and another is not wanted.
    func take(_ view: LogView, evenIfSame: Bool) throws(StoreError) -> TakenView? {
        let through = Sequence(max(active.nextSequence.value, 1) - 1)
        let newest = manifest.lists.checkpoints.last
        let isSame = newest.map { $0.through == through && $0.eraseCount == manifest.eraseCount } ?? false
        if isSame, !evenIfSame { return nil }
        try seal(force: true)
        return TakenView(lines: view.take(), through: through, manifest: manifest, now: now)
    }
}

extension Disk {
    /// Removes checkpoints that the manifest does not list, durably.
    func removeCheckpoints(besides listed: [Checkpoint], _ layout: Layout) throws(StoreError) {
        var isChanged = false
        for name in try names(in: layout.views) {
            guard let generation = Layout.checkpoint(named: name),
                !listed.contains(where: { $0.generation == generation })
            else { continue }
            try removeFile(layout.checkpoint(generation))
            isChanged = true
        }
        if isChanged { try syncNames(of: layout.views, .removedSegments) }
    }
}
