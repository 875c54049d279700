import LogEngine

// What tests do to a virtual disk and ask of it, beside using it as a disk.

extension VirtualDisk {
    // MARK: Faults

    /// From this operation on every call fails with `EIO` and does nothing, as if the power were cut
    /// just before it. Then ask `powerLoss` how it goes on; or, if it is a process that was killed
    /// there, `processCrash` and `clearFaults`.
    public func stop(at operation: Int) { withState { $0.plan.stop(at: operation) } }

    public func fail(operation: Int, with fault: DiskFault) {
        withState { $0.plan.fail(operation: operation, with: fault) }
    }

    /// Fails the `number`th call of a kind, counted from the making of the disk.
    public func fail(_ call: DiskCall, at number: Int, with fault: DiskFault) {
        withState { $0.plan.fail(call, at: number, with: fault) }
    }

    /// Nothing is planned to fail any more.
    public func clearFaults() { withState { $0.plan.clear() } }

    /// Syncs that return and do nothing. Goes over to the disks that come out of a crash.
    public var ignoredSyncs: Set<SyncPoint> {
        get { withState { $0.ignoredSyncs } }
        set { withState { $0.ignoredSyncs = newValue } }
    }

    /// Bytes that all files may have together, one that was removed while open among them: the room is
    /// counted in bytes, not in blocks. Beyond it a write is cut short, then fails with `ENOSPC`.
    public var capacity: UInt64 {
        get { withState { $0.capacity } }
        set { withState { $0.capacity = newValue } }
    }

    /// What of the capacity is left; setting it changes the capacity.
    public var freeBytes: UInt64 {
        get { withState { $0.freeBytes } }
        set { withState { $0.capacity = $0.usedBytes + newValue } }
    }

    // MARK: Counts

    /// Calls so far that change or sync something.
    public var operations: Int { withState { $0.plan.operations } }
    /// All other calls so far.
    public var reads: Int { withState { $0.plan.reads } }
    public func calls(of call: DiskCall) -> Int { withState { $0.plan.calls[call] ?? 0 } }
    public func syncs(of point: SyncPoint) -> Int { withState { $0.syncs[point] ?? 0 } }
    /// Planned faults that have happened, a cut among them.
    public var faultsStruck: Int { withState { $0.plan.struck } }
    /// The operation that `stop(at:)` named has come.
    public var isStopped: Bool { withState { $0.plan.isStopped } }

    /// The last calls, one a line, for the message of a failed test.
    public func history(last count: Int = 30) -> String {
        withState { $0.plan.history.suffix(count).map(\.description).joined(separator: "\n") }
    }

    // MARK: Content

    /// Every file, sorted.
    public var paths: [String] {
        withState { state in state.paths.filter { state.files[$0.value] != nil }.keys.sorted() }
    }

    /// What programs see of a file, less what was only allocated; `nil` where there is none.
    public func contents(_ path: String) -> [UInt8]? { file(path)?.visible.written }

    /// What of a file is on the platter, whether or not its name is.
    public func durableContents(_ path: String) -> [UInt8]? { file(path)?.durable.written }

    public func modificationTime(_ path: String) -> UInt64? { file(path)?.modificationTime }

    private func file(_ path: String) -> FileContent? {
        withState { state in state.node(at: path).flatMap { state.files[$0] } }
    }

    /// Gives a file other bytes, durably, and makes it if need be; its directory must be there.
    public func replace(_ path: String, _ bytes: [UInt8]) {
        withState { $0.install(path, FileContent(durable: FileBytes(written: bytes))) }
    }

    /// Turns over one bit of a file; bit 8 is the lowest of the second byte.
    public func flipBit(_ path: String, _ bit: Int) {
        guard var bytes = contents(path) else { preconditionFailure("no file \(path)") }
        bytes[bit / 8] ^= 1 << (bit % 8)
        replace(path, bytes)
    }

    /// Another disk in the same state, synced and unsynced; there nothing is open or locked, nothing is
    /// planned to fail, and counting starts anew.
    public func copy() -> VirtualDisk {
        VirtualDisk(
            withState { state in
                var copy = state
                copy.plan = FaultPlan()
                copy.locks = []
                copy.openFiles = [:]
                copy.syncs = [:]
                return copy
            })
    }
}
