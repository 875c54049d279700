import SegmentFormat
import Synchronization

// Files leave the store by a manifest that no longer lists them, but a snapshot of before still names
// them. Snapshots between two such manifests share an era; a file is removed once its era and all
// before it are over, so older files always go before younger ones (SPEC M4).

/// A segment file that is no longer listed.
struct DoomedFile: Hashable, Sendable {
    let segment: SegmentNumber
    let path: String
    /// That it is known to hold.
    let firstBucket: Bucket
}

/// Held by the snapshots between two changes of which files live.
final class SnapshotEra: Sendable {
    private struct State {
        var doomed: [DoomedFile] = []
        var next: SnapshotEra?
    }

    private let number: UInt64
    private let graveyard: Graveyard
    private let state = Mutex(State())

    convenience init(_ graveyard: Graveyard) { self.init(graveyard, number: 1) }

    private init(_ graveyard: Graveyard, number: UInt64) {
        self.graveyard = graveyard
        self.number = number
    }

    deinit { graveyard.release(state.withLock { $0.doomed }) }

    /// Files were removed that snapshots of this era still name.
    var isRevoked: Bool { number <= graveyard.revokedThrough }

    func requireFiles() throws(StoreError) {
        if isRevoked { throw .revoked }
    }

    /// Begins the era in which `doomed` are no longer listed.
    func end(dooming doomed: [DoomedFile]) -> SnapshotEra {
        graveyard.expect(doomed, named: number)
        let next = SnapshotEra(graveyard, number: number + 1)
        state.withLock { $0 = State(doomed: doomed, next: next) }
        return next
    }
}

/// Files that left the store, until they are removed.
final class Graveyard: Sendable {
    private struct State {
        /// Named by snapshots of an era and of those before it; older eras first.
        var expected: [(file: DoomedFile, era: UInt64)] = []
        /// Named by none.
        var files: [DoomedFile] = []
        var waiting: [Alarm] = []

        mutating func release(where isFree: (DoomedFile, UInt64) -> Bool) {
            files += expected.filter { isFree($0.file, $0.era) }.map(\.file)
            expected.removeAll { isFree($0.file, $0.era) }
        }
    }

    private let access: SegmentAccess
    private let state = Mutex(State())
    private let revoked = Atomic<UInt64>(0)
    /// Called when files have come.
    private let arrivals: @Sendable () -> Void

    init(_ access: SegmentAccess, arrivals: @escaping @Sendable () -> Void) {
        self.access = access
        self.arrivals = arrivals
    }

    var isEmpty: Bool { state.withLock { $0.files.isEmpty } }
    var revokedThrough: UInt64 { revoked.load(ordering: .acquiring) }

    fileprivate func expect(_ doomed: [DoomedFile], named era: UInt64) {
        state.withLock { $0.expected += doomed.map { ($0, era) } }
    }

    /// Takes files that no snapshot ever named.
    func take(_ doomed: [DoomedFile]) {
        guard !doomed.isEmpty else { return }
        state.withLock { $0.files += doomed }
        arrivals()
    }

    /// No snapshot names these files any more.
    fileprivate func release(_ doomed: [DoomedFile]) {
        guard !doomed.isEmpty else { return }
        let waiting = state.withLock { state in
            state.release { file, _ in doomed.contains(file) }
            return state.waiting
        }
        arrivals()
        for alarm in waiting { alarm.ring() }
    }

    /// Waits until nobody reads the files that must go, nor what left the store before them; after `grace`
    /// milliseconds what reads them ends at its next step. `empty` can remove them then.
    func free(after grace: UInt64, _ mustGo: (DoomedFile) -> Bool) {
        guard let last = state.withLock({ $0.expected.last { mustGo($0.file) }?.era }) else { return }
        if waits(forErasThrough: last, atMost: grace) { return }
        _ = revoked.max(last, ordering: .acquiringAndReleasing)
        state.withLock { $0.release { _, era in era <= last } }
    }

    private func waits(forErasThrough last: UInt64, atMost milliseconds: UInt64) -> Bool {
        let alarm = Alarm()
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        state.withLock { $0.waiting.append(alarm) }
        defer { state.withLock { $0.waiting.removeAll { $0 === alarm } } }
        while true {
            let isFree = state.withLock { $0.expected.allSatisfy { $0.era > last } }
            let left = deadline - ContinuousClock.now
            if isFree || left <= .zero { return isFree }
            alarm.wait(atMost: UInt64(left / .milliseconds(1)))
        }
    }

    /// Removes what no snapshot names, durably; for the committer's thread. What cannot be removed stays, for
    /// the next time or the next open.
    func empty() throws(StoreError) {
        let files = state.withLock { $0.files }
        var changed: String?
        for file in files {
            access.forget(file.segment)
            let directory = Layout.directory(of: file.path)
            // What one era leaves is gone for good before what a later one does.
            if let changed, changed != directory { try access.disk.syncNames(of: changed, .removedSegments) }
            if try access.disk.fileLength(file.path) != nil { try access.disk.removeFile(file.path) }
            changed = directory
        }
        if let changed { try access.disk.syncNames(of: changed, .removedSegments) }
        state.withLock { $0.files.removeFirst(files.count) }
    }
}
