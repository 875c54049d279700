import SegmentFormat

// RESERVE: room on the disk that is ours when there is no other (SPEC U7). What must be written though the
// disk is full has it given up first. Nothing depends on what it holds or on whether it survives a crash,
// so it is never synced: the next open makes it anew.

final class Reserve {
    enum State {
        case held
        /// There was no room for it. It is taken as soon as there is.
        case missing
        /// Given up for work that says itself when it ends.
        case lent
        /// It cannot be made here.
        case failed(StoreError)
    }

    let path: String
    /// 0: there is to be none.
    let bytes: UInt64
    private(set) var state: State
    private let wasThere: Bool
    /// What one seal takes at most.
    private let sealRoom: UInt64
    private let root: String
    private let disk: any Disk

    init(
        _ layout: Layout, _ disk: any Disk, bytes: UInt64, sealRoom: UInt64 = Bounds.sealRoom
    ) throws(StoreError) {
        self.sealRoom = sealRoom
        path = layout.reserve
        root = layout.root
        self.bytes = bytes
        self.disk = disk
        wasThere = try disk.fileLength(path) != nil
        state = wasThere ? .held : .missing
    }

    var isHeld: Bool { if case .held = state { true } else { false } }
    var isMissing: Bool { if case .missing = state { bytes > 0 } else { false } }

    /// What appends leave free: room for the seal and the manifests that they bring about, and for this
    /// where it is not there.
    var keptFree: UInt64 { min(bytes, sealRoom) + (isHeld ? 0 : bytes) }

    /// Makes it where it is not there or not as it should be. A new one leaves as much free as appends do;
    /// the room of one that was there before the store was opened is ours. The store can do without it: what
    /// is the matter is only said.
    func settle() -> [String] {
        do throws(StoreError) {
            if isHeld, try !isWhole() { try give(until: .missing) }
            if isMissing, try hasRoom() { take() }
        } catch {
            state = .failed(error)
        }
        if case .failed(let failure) = state {
            return ["\(path): \(failure.message); a purge on a full disk may find no room"]
        }
        guard isMissing else { return [] }
        return ["\(path): no room for its \(bytes) bytes; appends are refused until \(keptFree) bytes are free"]
    }

    private func hasRoom() throws(StoreError) -> Bool {
        if wasThere { return true }
        return try disk.freeSpace(at: root) >= keptFree
    }

    /// A copy of it, or one that a crash has cut short, may be a hole.
    private func isWhole() throws(StoreError) -> Bool {
        guard bytes > 0, try disk.fileLength(path) == bytes else { return false }
        return try disk.allocatedLength(path) ?? 0 >= bytes
    }

    /// Gives the room to whatever is written next.
    func give(until next: State) throws(StoreError) {
        if isHeld { try disk.removeFile(path) }
        state = next
    }

    /// Takes the room, if there is enough.
    func take() {
        guard !isHeld, bytes > 0 else { return }
        do throws(StoreError) {
            state = try allocate() ? .held : .missing
        } catch {
            state = .failed(error)
        }
    }

    private func allocate() throws(StoreError) -> Bool {
        do throws(StoreError) {
            try disk.allocateFile(path, bytes: bytes)
            return true
        } catch {
            if try disk.fileLength(path) != nil { try disk.removeFile(path) }
            guard error.code == .noSpace else { throw error }
            return false
        }
    }
}
