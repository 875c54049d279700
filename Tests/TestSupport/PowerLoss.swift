import LogEngine

/// What happens to all that was not synced when the power goes.
public enum PowerLossMode: String, CaseIterable, Sendable {
    case keepAll
    case dropAll
    /// Each write is kept, dropped or torn, whole sectors or pieces of it missing; each change of
    /// names is kept or dropped. No order is kept.
    case random
}

extension VirtualDisk {
    /// A disk with what survives when the power goes now: all of it durable, nothing open, nothing
    /// locked, nothing planned. This disk stays as it is, so that many losses can be tried on it.
    public func powerLoss(seed: UInt64, mode: PowerLossMode) -> VirtualDisk {
        VirtualDisk(withState { $0.surviving(mode, seed: seed) })
    }
}

extension DiskState {
    func surviving(_ mode: PowerLossMode, seed: UInt64) -> DiskState {
        var random = SeededRandom(seed: seed)
        var settled = self
        for change in changes where mode == .keepAll || (mode == .random && random.oneIn(2)) {
            settled.makeDurable(change)
        }
        var fresh = DiskState()
        fresh.ignoredSyncs = ignoredSyncs
        fresh.restore(Self.root, of: settled, at: "", mode, &random)
        // A file that is back may have lent its room to others meanwhile; no disk shrinks by that.
        fresh.capacity = max(capacity, fresh.usedBytes)
        return fresh
    }

    /// Builds anew what hangs on the durable names of a directory.
    private mutating func restore(
        _ directory: NodeID, of old: DiskState, at path: String, _ mode: PowerLossMode, _ random: inout SeededRandom
    ) {
        let names = old.directories[directory]?.durable.sorted { $0.key < $1.key } ?? []
        for (name, node) in names {
            if let file = old.files[node] {
                install("\(path)/\(name)", FileContent(durable: file.surviving(mode, &random)))
            } else {
                install("\(path)/\(name)", nil)
                restore(node, of: old, at: "\(path)/\(name)", mode, &random)
            }
        }
    }
}
