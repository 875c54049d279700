import SegmentFormat

// A spool forgets what others have stored. Unlike a purge this goes by sequence, in whole segments, and leaves no
// record: nothing is destroyed.

extension EventLog {
    /// Forgets the segments of which every event is at or before `sequence`, the active one too where it holds
    /// at least `sealBytes`. Works beside appends, on a thread of its own.
    ///
    /// - Returns: how many segments that were.
    @discardableResult
    public func release(through sequence: Sequence, sealingFrom sealBytes: UInt64) async throws(StoreError) -> Int {
        try await JobThread.run(JobControl()) { () throws(StoreError) in
            self.gate.enter(isUrgent: true)
            defer { self.gate.leave() }
            try self.performAndWait { (writer) throws(StoreError) in
                let totals = writer.active.totals
                guard totals.lines > 0, totals.nextSequence <= sequence + 1, writer.active.length >= sealBytes
                else { return }
                try writer.seal(force: true)
            }
            let state = try self.jobState()
            let dropped = state.manifest.segments.filter { $0.lines > 0 && $0.nextSequence <= sequence + 1 }
            guard let last = dropped.map(\.nextSequence).max() else { return 0 }
            let outputs = state.mustCarryDeliveries(of: dropped) ? try self.carry(dropped, state, .init()) : []
            try self.exchange(dropped, for: outputs) {
                $0.purgedThrough = max($0.purgedThrough, Sequence(last.value - 1))
            }
            let numbers = Set(dropped.map(\.segment))
            try self.bury(after: Self.releaseGrace) { numbers.contains($0.segment) }
            return dropped.count
        }
    }

    /// How long a scan of what is released may go on, in milliseconds.
    private static let releaseGrace: UInt64 = 1_000
}

extension LogSnapshot {
    /// Events above `sequence`: about how many, and how many bytes they are; both as the metadata of whole segments
    /// tells, the shares of a segment by its number of sequences.
    public func backlog(behind sequence: Sequence) -> (events: UInt64, bytes: UInt64) {
        var (events, bytes) = (UInt64(0), UInt64(0))
        for segment in segments where segment.lines > 0 && segment.nextSequence > sequence + 1 {
            let span = segment.nextSequence.value - segment.firstSequence.value
            let left = min(segment.nextSequence.value - sequence.value - 1, span)
            events += min(segment.lines, left)
            bytes += UInt64(Double(segment.rawBytes) * Double(left) / Double(span))
        }
        return (events, bytes)
    }

    /// Bytes of the segment files, as far as they are durable.
    public var storedBytes: UInt64 { segments.reduce(0) { $0 + $1.storedBytes } }
}
