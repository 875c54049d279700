import Glibc
import LogEngine

// The files and directories of a virtual disk. Names live apart from files, as on a real one: a file
// may be durable to the last byte and yet be gone, because its name was not.

typealias NodeID = Int

/// A name in a directory.
struct DirectoryEntry: Hashable, Sendable {
    var directory: NodeID
    var name: String
    var node: NodeID
}

/// A change of names that was not synced yet.
enum DirectoryChange: Sendable {
    case add(DirectoryEntry)
    case remove(DirectoryEntry)
    /// Atomic: it survives a power loss as a whole or not at all, and then an old target is back.
    case move(from: DirectoryEntry, to: DirectoryEntry)

    /// Whose sync makes it durable.
    var directory: NodeID {
        switch self {
        case .add(let entry), .remove(let entry), .move(_, let entry): entry.directory
        }
    }
}

struct DirectoryContent: Sendable {
    var visible: [String: NodeID] = [:]
    var durable: [String: NodeID] = [:]
}

struct DiskState: Sendable {
    static let root: NodeID = 0

    var files: [NodeID: FileContent] = [:]
    var directories: [NodeID: DirectoryContent] = [DiskState.root: DirectoryContent()]
    /// Everything that programs see, by its whole path, which begins with a slash.
    private(set) var paths: [String: NodeID] = ["/": DiskState.root]
    /// Unsynced, the oldest first.
    private(set) var changes: [DirectoryChange] = []
    private var nextNode = 1

    /// Which of the processes that used the disk one after another is alive.
    var process = 1
    /// Locked files.
    var locks: Set<NodeID> = []
    /// How often each file is open. One that has no name any more keeps its room as long as it is.
    var openFiles: [NodeID: Int] = [:]
    var plan = FaultPlan()
    var ignoredSyncs: Set<SyncPoint> = []
    var syncs: [SyncPoint: Int] = [:]
    var capacity: UInt64 = 1 << 40

    // MARK: Paths

    func node(at path: String) -> NodeID? { paths[path] }

    func file(at path: String) throws(SystemFault) -> NodeID {
        guard let node = node(at: path) else { throw SystemFault(ENOENT) }
        guard files[node] != nil else { throw SystemFault(EISDIR) }
        return node
    }

    func directory(at path: String) throws(SystemFault) -> NodeID {
        guard let node = node(at: path) else { throw SystemFault(ENOENT) }
        guard directories[node] != nil else { throw SystemFault(ENOTDIR) }
        return node
    }

    /// The directory that holds, or would hold, the last name of `path`.
    private func place(of path: String) throws(SystemFault) -> (directory: NodeID, name: String) {
        guard let slash = path.lastIndex(of: "/"), path != "/" else { throw SystemFault(EINVAL) }
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        return (try directory(at: parent), String(path[path.index(after: slash)...]))
    }

    /// Puts a file, or a directory where there is no content, on the disk as if it had always been there.
    mutating func install(_ path: String, _ content: FileContent?) {
        do {
            if let content {
                files[try findOrMakeFile(path)] = content
            } else {
                try makeDirectory(path)
            }
            syncDirectory(try place(of: path).directory)
        } catch {
            preconditionFailure("cannot place \(path): \(error)")
        }
    }

    // MARK: Room

    var usedBytes: UInt64 {
        Set(paths.values).union(openFiles.keys).reduce(0) { $0 + UInt64(length(of: $1)) }
    }

    var freeBytes: UInt64 { capacity - min(capacity, usedBytes) }

    func length(of node: NodeID) -> Int { files[node]?.visible.count ?? 0 }

    /// How far a file may go without filling the disk.
    func reach(of node: NodeID) -> UInt64 { freeBytes + UInt64(length(of: node)) }

    mutating func close(_ node: NodeID) {
        let others = (openFiles[node] ?? 1) - 1
        openFiles[node] = others > 0 ? others : nil
    }

    // MARK: Names

    mutating func findOrMakeFile(_ path: String) throws(SystemFault) -> NodeID {
        guard node(at: path) == nil else { return try file(at: path) }
        let node = try add(path)
        files[node] = FileContent()
        return node
    }

    mutating func makeDirectory(_ path: String) throws(SystemFault) {
        if let node = node(at: path) {
            guard directories[node] != nil else { throw SystemFault(EEXIST) }
            return
        }
        directories[try add(path)] = DirectoryContent()
    }

    private mutating func add(_ path: String) throws(SystemFault) -> NodeID {
        let (directory, name) = try place(of: path)
        let node = nextNode
        nextNode += 1
        directories[directory]?.visible[name] = node
        paths[path] = node
        changes.append(.add(DirectoryEntry(directory: directory, name: name, node: node)))
        return node
    }

    mutating func remove(_ path: String) throws(SystemFault) {
        try remove(path, try file(at: path))
    }

    mutating func removeDirectory(_ path: String) throws(SystemFault) {
        let node = try directory(at: path)
        guard directories[node]?.visible.isEmpty == true else { throw SystemFault(ENOTEMPTY) }
        try remove(path, node)
    }

    private mutating func remove(_ path: String, _ node: NodeID) throws(SystemFault) {
        let (directory, name) = try place(of: path)
        directories[directory]?.visible[name] = nil
        paths[path] = nil
        changes.append(.remove(DirectoryEntry(directory: directory, name: name, node: node)))
    }

    /// Files only.
    mutating func rename(_ path: String, to newPath: String) throws(SystemFault) {
        let node = try file(at: path)
        let old = try place(of: path)
        let new = try place(of: newPath)
        directories[old.directory]?.visible[old.name] = nil
        directories[new.directory]?.visible[new.name] = node
        paths[path] = nil
        paths[newPath] = node
        changes.append(
            .move(
                from: DirectoryEntry(directory: old.directory, name: old.name, node: node),
                to: DirectoryEntry(directory: new.directory, name: new.name, node: node)))
    }

    mutating func syncDirectory(_ directory: NodeID) {
        let synced = changes.filter { $0.directory == directory }
        changes.removeAll { $0.directory == directory }
        for change in synced { makeDurable(change) }
    }

    mutating func makeDurable(_ change: DirectoryChange) {
        switch change {
        case .add(let entry):
            directories[entry.directory]?.durable[entry.name] = entry.node
        case .remove(let entry):
            forget(entry)
        case .move(let old, let new):
            forget(old)
            directories[new.directory]?.durable[new.name] = new.node
        }
    }

    /// Takes the name off the platter, and out of what might still get there: an entry that moved on
    /// does not come back under its old name.
    private mutating func forget(_ entry: DirectoryEntry) {
        if directories[entry.directory]?.durable[entry.name] == entry.node {
            directories[entry.directory]?.durable[entry.name] = nil
        }
        changes.removeAll { if case .add(entry) = $0 { true } else { false } }
    }

    /// Counts a sync; `false` where it is one that does nothing.
    mutating func admitsSync(_ point: SyncPoint) -> Bool {
        syncs[point, default: 0] += 1
        return !ignoredSyncs.contains(point)
    }
}
