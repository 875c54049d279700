import SegmentFormat

/// Which state of the record is durable, which one is being written, and whether there is a newer one.
struct SaveOrder: Sendable {
    private var changed: UInt64 = 0
    private var written: UInt64 = 0
    private var saving: (generation: UInt64, sentThrough: Sequence)?
    private var changedAt: Int64?

    /// The record is another one now; returns its generation.
    @discardableResult
    mutating func change(at ticks: Int64) -> UInt64 {
        changed += 1
        changedAt = changedAt ?? ticks
        return changed
    }

    /// Whether a save is to begin: there is something to write, nothing is being written, and it has waited.
    func isDue(after wait: Int64, at ticks: Int64) -> Bool {
        guard saving == nil, let changedAt else { return false }
        return ticks - changedAt >= wait
    }

    func due(after wait: Int64) -> Int64? { saving == nil ? changedAt.map { $0 + wait } : nil }

    mutating func begin(sentThrough: Sequence) -> UInt64 {
        saving = (changed, sentThrough)
        changedAt = nil
        return changed
    }

    /// Returns how far the servers have answered, as what was saved says; `nil` for a save that is not ours.
    mutating func finish(_ generation: UInt64) -> Sequence? {
        guard let saving, saving.generation == generation else { return nil }
        written = generation
        self.saving = nil
        return saving.sentThrough
    }

    /// Everything is durable.
    var isClean: Bool { written == changed }
}
