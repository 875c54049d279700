import SegmentFormat

// What operators do with a forwarder that runs.

extension ForwardingService {
    public var status: ForwardingStatus {
        let snapshot = log.snapshot()
        return state.withLock { state in
            let backlog = snapshot.backlog(behind: state.forwarder.record.sentThrough)
            return ForwardingStatus(
                servers: state.forwarder.servers(at: ticks), waitingEvents: backlog.events, waitingBytes: backlog.bytes,
                waitingMilliseconds: backlog.events > 0 ? state.forwarder.age(at: ticks) ?? 0 : 0,
                storedBytes: snapshot.storedBytes, record: state.forwarder.record, isFull: isFull,
                failure: state.failure)
        }
    }

    /// Tries servers that failed at once.
    public func retry() { tell(.retry) }

    /// Gives the batches that `server` may have to another one. Returns how many events that were: they are
    /// stored at least once.
    public func reassign(_ server: ServerName) async throws(Forwarder.ReassignmentFault) -> Int {
        let result = await withCheckedContinuation { continuation in
            tell(.reassign(server) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    /// Returns when all that is in the spool now, and what comes meanwhile, is stored by servers; when the task is
    /// cancelled; or when forwarding fails or ends. `false` where something is left.
    public func drain() async -> Bool {
        tell(.available(through: log.snapshot().lastSequence))
        tell(.drain(true))
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || isDrained(state) || state.failure != nil { return true }
                    state.awaitingDrain[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.awaitingDrain.removeValue(forKey: number) }?.resume()
        }
        tell(.drain(false))
        return state.withLock { isDrained($0) }
    }

    func isDrained(_ state: borrowing State) -> Bool {
        state.forwarder.isDrained && state.forwarder.available >= log.snapshot().lastSequence
    }
}
