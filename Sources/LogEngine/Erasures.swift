import SegmentFormat

/// What was erased and may still lie in segments (SPEC EK3): nobody gets to see it.
struct Erasures: Sendable {
    /// Of each key the highest sequence that is erased.
    private let erased: [Hash128: Sequence]
    private let key: @Sendable (UnsafeRawBufferPointer) -> Hash128?
    /// No erased event has a higher sequence.
    let through: Sequence
    /// What holds keep on the disk: a rewrite takes it for not erased.
    private let kept: [ClosedRange<Bucket>]

    /// `nil` where nothing is erased, or nobody can say what key a line has.
    init?(_ tombstones: [Tombstone], _ keys: StreamKeys?, keeping kept: [ClosedRange<Bucket>] = []) {
        guard let keys, let through = tombstones.map(\.through).max() else { return nil }
        key = keys.key
        erased = Dictionary(tombstones.map { ($0.key, $0.through) }, uniquingKeysWith: max)
        self.through = through
        self.kept = kept
    }

    /// `sequence`: the line's, or where its block does not say, the highest that it may have. A block like
    /// that, if it goes beyond a tombstone, was written after it, and without what is erased.
    func hides(_ line: UnsafeRawBufferPointer, _ bucket: Bucket, _ sequence: Sequence) -> Bool {
        guard sequence <= through, let key = key(line), let last = erased[key], sequence <= last else { return false }
        return !kept.contains { $0.contains(bucket) }
    }

    /// Where in the file the blocks begin that may hold something erased.
    func blocks(of segment: OpenSegment) throws(StoreError) -> Set<UInt64> {
        var found: Set<UInt64> = []
        for (key, last) in erased {
            for index in try segment.keys.blocks(of: key.indexed, among: segment.blocks.count) {
                let entry = segment.blocks[index]
                if entry.lines > 0, entry.firstSequence <= last { found.insert(entry.offset) }
            }
        }
        return found
    }
}

extension LogWriter {
    /// Takes note, durably, that the events of a key up to now are erased. Returns the last sequence.
    func erase(_ key: Hash128) throws(StoreError) -> Sequence {
        let through = Sequence(max(active.nextSequence.value, 1) - 1)
        let known = manifest.lists.tombstones
        guard known.count < Bounds.tombstones || known.contains(where: { $0.key == key }) else {
            throw StoreError(
                .busy, layout.root, "\(Bounds.tombstones) keys are erased already; compact, and erase it then")
        }
        try updateManifest {
            $0.lists.tombstones.removeAll { $0.key == key }
            $0.lists.tombstones.append(Tombstone(key: key, through: through))
            $0.lists.tombstones.sort { ($0.key.high, $0.key.low) < ($1.key.high, $1.key.low) }
            $0.eraseCount += 1
        }
        return through
    }

    /// Forgets tombstones of which no segment holds anything any more.
    func forget(_ tombstones: [Tombstone]) throws(StoreError) {
        try updateManifest { $0.lists.tombstones.removeAll { tombstones.contains($0) } }
    }
}

extension EventLog {
    /// Erases the events of a key that the log has by now: no read that begins afterwards sees them, and the next
    /// compaction removes them. Later events of the key are events like any other. Returns the sequence of the
    /// last event that may be erased; durable once it returns.
    /// - Parameter forget: what to do elsewhere between the last commit that it concerns and the next one. Called on
    ///   the committer's thread, which must not be held up, behind the completions of all earlier appends.
    @discardableResult
    public func erase(
        _ key: Hash128, alongside forget: @escaping @Sendable () -> Void = {}
    ) async throws(StoreError) -> Sequence {
        try await perform { (writer) throws(StoreError) in
            let through = try writer.erase(key)
            forget()
            return through
        }
    }
}

extension LogSnapshot {
    /// Fails with `mismatch` where events are erased and nobody said how to tell which.
    func requireSight() throws(StoreError) {
        guard !tombstones.isEmpty, erasures == nil else { return }
        throw .keyless(access.layout.root)
    }

    /// The keys of which events up to `sequence`, or beyond it, are erased.
    public func keysErased(from sequence: Sequence) -> Set<Hash128> {
        Set(tombstones.filter { $0.through >= sequence }.map(\.key))
    }

    /// Through which sequence the events of a key are erased; `nil` where none are.
    public func erased(_ key: Hash128) -> Sequence? { tombstones.first { $0.key == key }?.through }
}

/// Looks for lines that are erased and not yet removed.
struct ErasedLines {
    private let erasures: Erasures?
    private let access: SegmentAccess
    private let store: StoreID

    /// Without `heldToo`, lines that a hold keeps do not count.
    init(_ state: JobState, _ log: EventLog, heldToo: Bool = false) {
        let held = heldToo ? [] : state.manifest.lists.holds.all.map { $0.from...$0.to }
        erasures = Erasures(state.manifest.lists.tombstones, log.keys, keeping: held)
        access = SegmentAccess(log.layout, log.disk)
        store = state.manifest.store
    }

    func areIn(_ entry: SegmentEntry) throws(StoreError) -> Bool {
        guard let erasures, entry.lines > 0, entry.firstSequence <= erasures.through,
            let segment = try access.open(entry, store: store)
        else { return false }
        return try areIn(segment)
    }

    func areIn(_ active: ActiveView) throws(StoreError) -> Bool { try areIn(active.segment) }

    private func areIn(_ segment: OpenSegment) throws(StoreError) -> Bool {
        let reader = BlockReader(access, erasures: erasures)
        let output = ScanOutput()
        for entry in segment.blocks.entries {
            let block = BlockReference(segment: segment, entry: entry)
            guard try reader.mayHoldErased(block) else { continue }
            output.clear()
            try reader.append(block, buckets: Bucket.earliest...Bucket.latest, order: .time, to: output)
            // What cannot be read may hold some too.
            if output.lines < entry.lines { return true }
        }
        return false
    }
}
