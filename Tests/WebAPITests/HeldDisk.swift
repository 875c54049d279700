import Dispatch
import LogEngine
import Synchronization
import TestSupport

/// A virtual disk whose commits can be held up, so that a test sees what happens meanwhile.
final class HeldDisk: Disk {
    private let base = VirtualDisk()
    private let isHolding = Atomic<Bool>(false)
    private let heldCommits = Atomic<Int>(0)
    private let gate = DispatchSemaphore(value: 0)

    func hold() { isHolding.store(true, ordering: .releasing) }

    /// Lets the commit that is held go on, and those that come.
    func release() {
        isHolding.store(false, ordering: .releasing)
        if heldCommits.exchange(0, ordering: .acquiring) > 0 { gate.signal() }
    }

    /// Waits, without a clock, until a commit is held.
    func untilHeld() async {
        while heldCommits.load(ordering: .acquiring) == 0 { await Task.yield() }
    }

    fileprivate func passCommit() {
        guard isHolding.load(ordering: .acquiring) else { return }
        heldCommits.add(1, ordering: .releasing)
        gate.wait()
    }

    func open(_ path: String, _ mode: OpenMode) throws(SystemFault) -> any DiskFile {
        HeldFile(try base.open(path, mode), self)
    }
    func list(_ directory: String) throws(SystemFault) -> [String] { try base.list(directory) }
    func length(of path: String) throws(SystemFault) -> UInt64? { try base.length(of: path) }
    func allocatedBytes(of path: String) throws(SystemFault) -> UInt64? { try base.allocatedBytes(of: path) }
    func allocate(_ path: String, bytes: UInt64) throws(SystemFault) { try base.allocate(path, bytes: bytes) }
    func removeDirectory(_ path: String) throws(SystemFault) { try base.removeDirectory(path) }
    func makeDirectory(_ path: String) throws(SystemFault) { try base.makeDirectory(path) }
    func rename(_ path: String, to newPath: String) throws(SystemFault) { try base.rename(path, to: newPath) }
    func remove(_ path: String) throws(SystemFault) { try base.remove(path) }
    func syncDirectory(_ path: String, _ point: SyncPoint) throws(SystemFault) {
        try base.syncDirectory(path, point)
    }
    func freeBytes(at path: String) throws(SystemFault) -> UInt64 { try base.freeBytes(at: path) }
    func lock(_ path: String) throws(SystemFault) -> any DiskFile { try base.lock(path) }
}

private final class HeldFile: DiskFile {
    private let base: any DiskFile
    private let disk: HeldDisk

    init(_ base: any DiskFile, _ disk: HeldDisk) {
        self.base = base
        self.disk = disk
    }

    func sync(_ point: SyncPoint) throws(SystemFault) {
        if point == .commit { disk.passCommit() }
        try base.sync(point)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemFault) -> Int {
        try base.read(into: buffer, at: offset)
    }
    func write(_ pieces: [UnsafeRawBufferPointer], at offset: UInt64) throws(SystemFault) -> Int {
        try base.write(pieces, at: offset)
    }
    func truncate(to length: UInt64) throws(SystemFault) { try base.truncate(to: length) }
    func length() throws(SystemFault) -> UInt64 { try base.length() }
    func isNamed(_ path: String) throws(SystemFault) -> Bool { try base.isNamed(path) }
    func setModificationTime(_ milliseconds: UInt64) throws(SystemFault) {
        try base.setModificationTime(milliseconds)
    }
    func close() { base.close() }
}
