import SegmentFormat
import Synchronization

// Files leave the store by a manifest that no longer lists them, but a snapshot of before still names
// them. Snapshots between two such manifests share an era; a file is removed once its era and all
// before it are over, so older files always go before younger ones (SPEC M4).

/// A segment file that is no longer listed.
struct DoomedFile: Hashable, Sendable {
    let segment: SegmentNumber
    let path: String
    /// Where it is kept instead of being removed.
    var keptAs: String?
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

    deinit { graveyard.take(state.withLock { $0.doomed }) }

    /// Files were removed that snapshots of this era still name.
    var isRevoked: Bool { number <= graveyard.revokedThrough }

    func requireFiles() throws(StoreError) {
        if isRevoked { throw .revoked }
    }

    /// Begins the era in which `doomed` are no longer listed.
    func end(dooming doomed: [DoomedFile]) -> SnapshotEra {
        graveyard.expect(doomed)
        let next = SnapshotEra(graveyard, number: number + 1)
        state.withLock { $0 = State(doomed: doomed, next: next) }
        return next
    }

    var ended: EndedEra {
        EndedEra(number: number, doomed: state.withLock { $0.doomed }, graveyard: graveyard)
    }
}

/// An era that is over, though snapshots of it may still be held.
struct EndedEra: Sendable {
    fileprivate let number: UInt64
    let doomed: [DoomedFile]
    fileprivate let graveyard: Graveyard

    /// Removes the files once nobody reads them, or after `grace` milliseconds: then what reads snapshots of
    /// this era or an earlier one ends at its next step.
    func remove(after grace: UInt64) throws(StoreError) {
        if !graveyard.waits(for: doomed, atMost: grace) { graveyard.revoke(through: number) }
        try graveyard.remove(doomed)
    }
}

/// Files that left the store, until they are removed.
final class Graveyard: Sendable {
    private struct State {
        /// Named by snapshots that are still held.
        var expected: Set<DoomedFile> = []
        var files: [DoomedFile] = []
        var waiting: [Alarm] = []
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

    fileprivate func revoke(through era: UInt64) {
        _ = revoked.max(era, ordering: .acquiringAndReleasing)
    }

    fileprivate func expect(_ doomed: [DoomedFile]) { state.withLock { $0.expected.formUnion(doomed) } }

    /// Takes files that no snapshot names any more.
    func take(_ doomed: [DoomedFile]) {
        guard !doomed.isEmpty else { return }
        let waiting = state.withLock { state in
            state.expected.subtract(doomed)
            state.files += doomed
            return state.waiting
        }
        arrivals()
        for alarm in waiting { alarm.ring() }
    }

    /// Whether nobody reads the files any more, now or before `milliseconds` have passed.
    fileprivate func waits(for doomed: [DoomedFile], atMost milliseconds: UInt64) -> Bool {
        let alarm = Alarm()
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        defer { state.withLock { $0.waiting.removeAll { $0 === alarm } } }
        while true {
            let isFree = state.withLock { state in
                if !state.waiting.contains(where: { $0 === alarm }) { state.waiting.append(alarm) }
                return state.expected.isDisjoint(with: doomed)
            }
            let left = deadline - ContinuousClock.now
            if isFree || left <= .zero { return isFree }
            alarm.wait(atMost: UInt64(left / .milliseconds(1)))
        }
    }

    /// Removes what has come. What cannot be removed stays, for the next time or the next open.
    func empty() throws(StoreError) { try remove(state.withLock { $0.files }) }

    /// Takes a file from its place; returns the directories that changed.
    private func leave(_ file: DoomedFile) throws(StoreError) -> [String] {
        let directory = Layout.directory(of: file.path)
        guard try access.disk.fileLength(file.path) != nil else { return [directory] }
        guard let kept = file.keptAs else {
            try access.disk.removeFile(file.path)
            return [directory]
        }
        try access.disk.makeDirectories([Layout.directory(of: kept)])
        try access.disk.moveFile(file.path, to: kept)
        return [directory, Layout.directory(of: kept)]
    }

    private func sync(_ directories: inout [String]) throws(StoreError) {
        for directory in directories { try access.disk.syncNames(of: directory, .removedSegments) }
        directories = []
    }

    /// Removes files whether or not they are read, and makes that durable.
    fileprivate func remove(_ doomed: [DoomedFile]) throws(StoreError) {
        var changed: [String] = []
        for file in doomed {
            access.forget(file.segment)
            let directories = try leave(file)
            // What one era leaves is gone for good before what a later one does.
            if changed.first != directories.first { try sync(&changed) }
            for directory in directories where !changed.contains(directory) { changed.append(directory) }
        }
        try sync(&changed)
        state.withLock { state in
            state.files.removeAll { doomed.contains($0) }
            state.expected.subtract(doomed)
        }
    }
}
