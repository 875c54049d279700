import Glibc
import LogEngine
import Synchronization

/// An open file of a virtual disk.
final class VirtualFile: DiskFile {
    enum Purpose { case read, update, lock }

    private let disk: VirtualDisk
    private let node: NodeID
    private let path: String
    private let purpose: Purpose
    private let isClosed = Atomic(false)

    init(_ disk: VirtualDisk, _ node: NodeID, _ path: String, _ purpose: Purpose) {
        self.disk = disk
        self.node = node
        self.path = path
        self.purpose = purpose
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemFault) -> Int {
        try checkOpen()
        return try disk.perform(.read, "\(path) @\(offset) ≤\(buffer.count)", isOperation: false) { state, isShort in
            guard let bytes = state.files[node]?.visible else { return 0 }
            let start = min(Int(offset), bytes.count)
            let there = min(buffer.count, bytes.count - start)
            let count = isShort ? (there + 1) / 2 : there
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            target.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.written.withUnsafeBytes { target.copyBytes(from: $0.dropFirst(start).prefix(count)) }
            return count
        }
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at offset: UInt64) throws(SystemFault) -> Int {
        try checkOpen(toWrite: true)
        guard pieces.count <= 1_024 else { throw SystemFault(EINVAL) }
        let total = pieces.reduce(0) { $0 + $1.count }
        return try disk.perform(.write, "\(path) @\(offset) +\(total)", isOperation: true) {
            (state, isShort) throws(SystemFault) in
            let room = state.reach(of: node).subtractingClamped(offset)
            let fitting = min(isShort ? (total + 1) / 2 : total, Int(room))
            guard fitting > 0 || total == 0 else { throw SystemFault(ENOSPC) }
            state.files[node]?.change(FileChange(pieces: pieces, at: Int(offset)).prefix(fitting))
            return fitting
        }
    }

    func sync(_ point: SyncPoint) throws(SystemFault) {
        try checkOpen()
        do {
            try disk.perform(.sync, "\(path) (\(point))", isOperation: true) { state, _ in
                if state.admitsSync(point) { state.files[node]?.sync() }
            }
        } catch {
            disk.withState { if !$0.plan.isStopped { $0.files[node]?.failSync() } }
            throw error
        }
    }

    func truncate(to length: UInt64) throws(SystemFault) {
        try checkOpen(toWrite: true)
        try disk.perform(.truncate, "\(path) to \(length)", isOperation: true) { (state, _) throws(SystemFault) in
            guard length <= state.reach(of: node) else { throw SystemFault(ENOSPC) }
            state.files[node]?.change(.truncate(length: Int(length)))
        }
    }

    func length() throws(SystemFault) -> UInt64 {
        try checkOpen()
        return try disk.perform(.length, path, isOperation: false) { state, _ in
            UInt64(state.length(of: node))
        }
    }

    func isNamed(_ path: String) throws(SystemFault) -> Bool {
        try checkOpen()
        return try disk.perform(.length, path, isOperation: false) { state, _ in state.node(at: path) == node }
    }

    func setModificationTime(_ milliseconds: UInt64) throws(SystemFault) {
        try checkOpen()
        try disk.perform(.setModificationTime, path, isOperation: true) { state, _ in
            state.files[node]?.modificationTime = milliseconds
        }
    }

    func close() {
        let wasClosed = isClosed.exchange(true, ordering: .relaxed)
        if !wasClosed { disk.close(node, isLock: purpose == .lock) }
    }

    private func checkOpen(toWrite: Bool = false) throws(SystemFault) {
        guard !isClosed.load(ordering: .relaxed), !toWrite || purpose != .read else { throw SystemFault(EBADF) }
    }
}

extension UInt64 {
    func subtractingClamped(_ other: UInt64) -> UInt64 { self > other ? Swift.min(self - other, 1 << 40) : 0 }
}
