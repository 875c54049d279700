import SegmentFormat

/// The room on the disk that a writer goes by: what is free, and RESERVE, which it has when nothing is. Whenever
/// RESERVE was taken, what was known of the free bytes is wrong.
struct WriterRoom {
    let free: WriteRoom
    private let reserve: Reserve

    init(_ disk: any Disk, _ layout: Layout, _ reserve: Reserve) {
        self.reserve = reserve
        free = WriteRoom(disk, layout.root, leaving: reserve.keptFree)
    }

    /// Takes what a commit will write, or fails with `noSpace`.
    func take(_ plan: CommitPlan, appends: Int, now: UInt64) throws(StoreError) {
        try free.take(plan.storedBytes, appends: appends, leaving: reserve.keptFree, now: now)
        // Appends have found the room that they leave for RESERVE.
        if reserve.isMissing { retakeReserve() }
    }

    /// The disk was full when it was written to.
    func forget() { free.forget() }

    /// What the disk has no room for is written once more in the room of RESERVE, which takes what is left.
    func payingFromReserve(_ write: () throws(StoreError) -> Void) throws(StoreError) {
        do throws(StoreError) {
            try write()
        } catch {
            guard error.code == .noSpace, reserve.isHeld else { throw error }
            try reserve.give(until: .missing)
            try write()
            retakeReserve()
        }
    }

    /// Gives the room of RESERVE to what is written until `takeReserve`. Appends do not get it.
    func lendReserve() throws(StoreError) { try reserve.give(until: .lent) }

    /// Takes the room of RESERVE again; `false` where there is not enough yet.
    func takeReserve() throws(StoreError) -> Bool {
        retakeReserve()
        if case .failed(let failure) = reserve.state { throw failure }
        return !reserve.isMissing
    }

    private func retakeReserve() {
        reserve.take()
        free.forget()
    }
}
