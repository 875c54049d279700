import Synchronization

/// The memory that all scans of a store gather lines in. A scan never waits for it: the less is left,
/// the smaller its windows.
final class ScanPool: Sendable {
    private let free = Mutex(Bounds.scanPool)

    /// Half of what is left, within `scanFloor` and `scanBudget`.
    func lease() -> ScanLease {
        let bytes = free.withLock { free in
            let bytes = max(Bounds.scanFloor, min(Bounds.scanBudget, free / 2))
            free -= bytes
            return bytes
        }
        return ScanLease(bytes: bytes, pool: self)
    }

    fileprivate func give(back bytes: Int) { free.withLock { $0 += bytes } }
}

/// Leased until the end of its life.
final class ScanLease {
    let bytes: Int
    private let pool: ScanPool

    fileprivate init(bytes: Int, pool: ScanPool) {
        self.bytes = bytes
        self.pool = pool
    }

    deinit { pool.give(back: bytes) }
}
