import SegmentFormat

// RESERVE: room on the disk that is ours when there is no other (SPEC U7). What must be written though the
// disk is full has it given up first. Nothing depends on what it holds or on whether it survives a crash,
// so it is never synced: the next open makes it anew.

final class Reserve {
    let path: String
    /// 0: there is to be none.
    let bytes: UInt64
    /// The file is there, whether or not it has the size that it should.
    private(set) var isHeld: Bool
    private let wasThere: Bool
    private let root: String
    private let disk: any Disk

    init(_ layout: Layout, _ disk: any Disk, bytes: UInt64) throws(StoreError) {
        path = layout.reserve
        root = layout.root
        self.bytes = bytes
        self.disk = disk
        wasThere = try disk.fileLength(path) != nil
        isHeld = wasThere
    }

    /// What appends leave free beside it: room for the seal and the manifests that they bring about.
    private var besides: UInt64 { min(bytes, Bounds.sealRoom) }

    /// What appends leave free: while it is given up, the room to take it again too.
    var keptFree: UInt64 { isHeld ? besides : besides + bytes }

    /// Makes it where it is not there or not as it should be; `false` where there is no room. A new one
    /// leaves as much free as appends do; the room of one that was there before the store was opened is
    /// ours.
    func settle() throws(StoreError) -> Bool {
        if isHeld, try !isWhole() { try give() }
        guard !isHeld, bytes > 0 else { return true }
        if !wasThere, try disk.freeSpace(at: root) < keptFree { return false }
        return try take()
    }

    /// A copy of it, or one that a crash has cut short, may be a hole.
    private func isWhole() throws(StoreError) -> Bool {
        guard bytes > 0, try disk.fileLength(path) == bytes else { return false }
        return try disk.allocatedLength(path) ?? 0 >= bytes
    }

    /// Gives the room to whatever is written next.
    func give() throws(StoreError) {
        guard isHeld else { return }
        try disk.removeFile(path)
        isHeld = false
    }

    /// Takes the room again; `false` where there is none.
    func take() throws(StoreError) -> Bool {
        guard !isHeld, bytes > 0 else { return true }
        do throws(StoreError) {
            try disk.allocateFile(path, bytes: bytes)
            isHeld = true
            return true
        } catch {
            if try disk.fileLength(path) != nil { try disk.removeFile(path) }
            guard error.code == .noSpace else { throw error }
            return false
        }
    }
}
