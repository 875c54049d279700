import LogEngine
import SegmentFormat

// How a view comes to be when its store is opened (SPEC UM12): from the newest checkpoint that is good and the
// events behind it, or, where none is and no event ever left the log, from all of them.

extension LiveView {
    /// The same for one of two that are made at the same time.
    func restored(from log: EventLog, _ key: StoreKey, seed: UInt64) async -> Result<[String], UserStoreFault> {
        Result { () throws(UserStoreFault) in try restore(from: log, key, seed: seed) }
    }

    /// Before anything else is folded in. Returns what is wrong with checkpoints that could not be used.
    func restore(from log: EventLog, _ key: StoreKey, seed: UInt64) throws(UserStoreFault) -> [String] {
        let snapshot = log.snapshot()
        var refusals: [String] = []
        for checkpoint in snapshot.checkpoints.reversed() {
            let source = CheckpointSource<View>(snapshot: snapshot, checkpoint: checkpoint, key: key)
            switch try source.read(seed: seed) {
            case .success(let found):
                replace(by: found.view)
                try replay(found.later)
                return refusals
            case .failure(let refusal): refusals.append("\(snapshot.stream): \(refusal.reason)")
            }
        }
        // An answer that says less than was known would be taken for the truth.
        guard snapshot.isWhole else { throw .lost(snapshot.stream, refusals) }
        try replay(snapshot)
        return refusals
    }

    private func replay(_ snapshot: LogSnapshot) throws(UserStoreFault) {
        do {
            let scan = try Scan(snapshot, ScanRequest(order: .time))
            while let chunk = try scan.next() { try fold(chunk) }
        } catch let error as StoreError {
            throw .log(error)
        } catch let fault as StoredEntryFault {
            throw .entry(snapshot.stream, fault)
        } catch {
            preconditionFailure("a scan fails with errors of the store alone: \(error)")
        }
        let faults = snapshot.ownFaults
        guard faults.isEmpty else { throw .damaged(snapshot.stream, faults) }
    }

    /// The view for the log, which writes checkpoints of it.
    func source(_ key: StoreKey) -> LogView {
        LogView { [self] in
            let view = read { $0 }
            return { (through, body) throws(StoreError) in
                try view.writeCheckpoint(through: through, key: key.mark, body)
            }
        }
    }
}

/// Why a checkpoint is of no use.
private struct CheckpointRefusal: Error {
    let reason: String
}

private struct CheckpointSource<View: FoldedView> {
    let snapshot: LogSnapshot
    let checkpoint: Checkpoint
    let key: StoreKey

    /// The view of the checkpoint without who was erased since, and the events behind it.
    func read(seed: UInt64) throws(UserStoreFault) -> Result<(view: View, later: LogSnapshot), CheckpointRefusal> {
        let later: LogSnapshot
        let found: Result<View, CheckpointFault>
        do throws(StoreError) {
            later = try snapshot.behind(checkpoint)
            found = try lines(seed: seed)
        } catch {
            guard error.code == .corrupt else { throw .log(error) }
            return .failure(CheckpointRefusal(reason: error.description))
        }
        switch found {
        case .success(let view): return .success((view, later))
        case .failure(.otherKey): throw .otherKey(snapshot.stream)
        case .failure(let fault): return .failure(CheckpointRefusal(reason: fault.description))
        }
    }

    private func lines(seed: UInt64) throws(StoreError) -> Result<View, CheckpointFault> {
        let erased = snapshot.keysErased(from: checkpoint.through)
        var reader = CheckpointReader<View>(seed: seed, key: key.mark)
        var refusal: CheckpointFault?
        try snapshot.read(checkpoint) { (line) throws(StoreError) in
            guard refusal == nil else { return }
            do throws(CheckpointFault) {
                try reader.take(line) { name in !erased.isEmpty && erased.contains(key.user(name)) }
            } catch { refusal = error }
        }
        if let refusal { return .failure(refusal) }
        return Result { () throws(CheckpointFault) in try reader.finish().view }
    }
}
