import Glibc
import LogEngine
import Synchronization

// A disk in memory that remembers what was synced, so that power loss is an ordinary unit test. Calls
// can be counted, cut off and made to fail; see `FaultPlan` for what is counted.

/// A disk as one process sees it. `processCrash()` hands the same disk to the next process.
public final class VirtualDisk: Disk {
    /// What the room of a file is rounded up to.
    static let blockBytes: UInt64 = 4_096

    private let storage: DiskStorage
    private let process: Int

    public convenience init() { self.init(DiskState()) }

    init(_ state: DiskState) {
        storage = DiskStorage(state)
        process = state.process
    }

    private init(sharing storage: DiskStorage, process: Int) {
        self.storage = storage
        self.process = process
    }

    /// Ends the process: every file that it has open is closed, its locks are gone, its later calls
    /// fail with `EBADF`. What programs see stays; what was not synced stays so, and so does what is
    /// planned to fail. Returns the disk for the next process.
    public func processCrash() -> VirtualDisk {
        let next = storage.state.withLock { state in
            state.process += 1
            state.locks = []
            state.openFiles = [:]
            return state.process
        }
        return VirtualDisk(sharing: storage, process: next)
    }

    func withState<Result: Sendable>(_ body: (inout DiskState) -> Result) -> Result {
        storage.state.withLock { state in body(&state) }
    }

    /// Makes one call: counts it, fails it where that is planned, and tells `body` whether it is to
    /// move only some of its bytes.
    func perform<Result: Sendable>(
        _ call: DiskCall, _ subject: String, isOperation: Bool,
        _ body: (inout DiskState, _ isShort: Bool) throws(SystemFault) -> Result
    ) throws(SystemFault) -> Result {
        try storage.state.withLock { (state) throws(SystemFault) in
            guard state.process == process else { throw SystemFault(EBADF) }
            let fault = state.plan.admit(call, subject, isOperation: isOperation)
            if let code = fault?.code { throw SystemFault(code) }
            return try body(&state, fault == .short)
        }
    }

    // MARK: Disk

    public func open(_ path: String, _ mode: OpenMode) throws(SystemFault) -> any DiskFile {
        let node = try perform(.open, "\(path) (\(mode))", isOperation: mode.isCreating) {
            (state, _) throws(SystemFault) in
            let node = try mode.isCreating ? state.findOrMakeFile(path) : state.file(at: path)
            if mode.isCreating { state.files[node]?.change(.truncate(length: 0)) }
            state.openFiles[node, default: 0] += 1
            return node
        }
        return VirtualFile(self, node, path, mode == .read ? .read : .update)
    }

    public func list(_ directory: String) throws(SystemFault) -> [String] {
        try perform(.list, directory, isOperation: false) { (state, _) throws(SystemFault) in
            let node = try state.directory(at: directory)
            return state.directories[node]?.visible.keys.sorted() ?? []
        }
    }

    public func length(of path: String) throws(SystemFault) -> UInt64? {
        try perform(.length, path, isOperation: false) { state, _ in
            guard let node = state.node(at: path) else { return nil }
            return UInt64(state.length(of: node))
        }
    }

    public func allocatedBytes(of path: String) throws(SystemFault) -> UInt64? {
        try perform(.allocatedBytes, path, isOperation: false) { state, _ in
            guard let node = state.node(at: path) else { return nil }
            return (UInt64(state.length(of: node)) + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
        }
    }

    public func allocate(_ path: String, bytes: UInt64) throws(SystemFault) {
        try perform(.allocate, "\(path) +\(bytes)", isOperation: true) { (state, _) throws(SystemFault) in
            let node = try state.findOrMakeFile(path)
            state.files[node]?.change(.truncate(length: 0))
            let there = min(bytes, state.reach(of: node))
            state.files[node]?.change(.allocate(length: Int(there)))
            guard there == bytes else { throw SystemFault(ENOSPC) }
        }
    }

    public func removeDirectory(_ path: String) throws(SystemFault) {
        try perform(.removeDirectory, path, isOperation: true) { (state, _) throws(SystemFault) in
            try state.removeDirectory(path)
        }
    }

    public func makeDirectory(_ path: String) throws(SystemFault) {
        try perform(.makeDirectory, path, isOperation: true) { (state, _) throws(SystemFault) in
            try state.makeDirectory(path)
        }
    }

    public func rename(_ path: String, to newPath: String) throws(SystemFault) {
        try perform(.rename, "\(path) to \(newPath)", isOperation: true) { (state, _) throws(SystemFault) in
            try state.rename(path, to: newPath)
        }
    }

    public func remove(_ path: String) throws(SystemFault) {
        try perform(.remove, path, isOperation: true) { (state, _) throws(SystemFault) in try state.remove(path) }
    }

    public func syncDirectory(_ path: String, _ point: SyncPoint) throws(SystemFault) {
        try perform(.syncDirectory, "\(path) (\(point))", isOperation: true) { (state, _) throws(SystemFault) in
            let node = try state.directory(at: path)
            if state.admitsSync(point) { state.syncDirectory(node) }
        }
    }

    public func freeBytes(at path: String) throws(SystemFault) -> UInt64 {
        try perform(.freeBytes, path, isOperation: false) { (state, _) throws(SystemFault) in state.freeBytes }
    }

    public func lock(_ path: String) throws(SystemFault) -> any DiskFile {
        let node = try perform(.lock, path, isOperation: true) { (state, _) throws(SystemFault) in
            let node = try state.findOrMakeFile(path)
            guard state.locks.insert(node).inserted else { throw SystemFault(EWOULDBLOCK) }
            state.openFiles[node, default: 0] += 1
            return node
        }
        return VirtualFile(self, node, path, .lock)
    }

    func close(_ node: NodeID, isLock: Bool) {
        withState { state in
            guard state.process == process else { return }
            state.close(node)
            if isLock { state.locks.remove(node) }
        }
    }
}

/// Shared by the processes that use a disk one after another.
private final class DiskStorage: Sendable {
    let state: Mutex<DiskState>
    init(_ state: DiskState) { self.state = Mutex(state) }
}
