import SegmentFormat

/// An event as it is stored.
public struct StoredEvent: Equatable, Sendable {
    public let sequence: Sequence
    public let bucket: Bucket
    /// Without its LF.
    public let line: [UInt8]
}

extension LogSnapshot {
    /// The event with the highest time, and of those the one that came last; `nil` where there is none.
    /// Found by metadata; of its block only the end is decoded. Where that block is damaged, which is
    /// reported, the last event of the others.
    public func last() throws(StoreError) -> StoredEvent? {
        try requireSight()
        let reader = BlockReader(access, erasures: erasures)
        var latest = LatestBlocks(self, reader)
        var last: StoredEvent?
        while let block = try latest.next(), block.mayEnd(behind: last) {
            guard let meta = try reader.meta(block), meta.endsBehind(last) else { continue }
            guard let event = try reader.lastEvent(of: block) else { continue }
            if last.map({ $0.position < event.position }) ?? true { last = event }
        }
        return last
    }
}

extension StoredEvent {
    fileprivate var position: ScanPosition { ScanPosition(bucket: bucket, sequence: sequence) }
}

extension BlockReference {
    /// No line of the block is behind this.
    fileprivate var lastPosition: ScanPosition {
        ScanPosition(bucket: entry.lastBucket, sequence: entry.lastSequence)
    }

    fileprivate func mayEnd(behind event: StoredEvent?) -> Bool { event.map { lastPosition > $0.position } ?? true }
}

extension BlockMeta {
    fileprivate func endsBehind(_ event: StoredEvent?) -> Bool {
        let last = ScanPosition(bucket: lastBucket, sequence: sequence(ofLine: lines - 1))
        return event.map { last > $0.position } ?? true
    }
}

/// The blocks of a snapshot by the highest place that one of their lines may have, the highest first. The
/// last line of a block is of its last bucket, but need not have its last sequence.
private struct LatestBlocks {
    private let reader: BlockReader
    private let store: StoreID
    private let horizon: Bucket
    /// By the same, the highest last.
    private var unopened: [(place: ScanPosition, entry: SegmentEntry)] = []
    private var opened: [OpenSegment] = []
    private var last = ScanPosition(bucket: .latest, sequence: Sequence(.max))

    init(_ snapshot: LogSnapshot, _ reader: BlockReader) {
        self.reader = reader
        store = snapshot.store
        horizon = snapshot.horizon
        for entry in snapshot.sealed.entries where entry.lines > 0 && entry.lastBucket >= horizon {
            unopened.append((ScanPosition(bucket: entry.lastBucket, sequence: entry.nextSequence), entry))
        }
        unopened.sort { $0.place < $1.place }
        if let active = snapshot.active { opened.append(active.segment) }
    }

    mutating func next() throws(StoreError) -> BlockReference? {
        var latest: (place: ScanPosition, block: BlockReference)?
        for segment in opened { take(&latest, from: segment) }
        while let (place, entry) = unopened.last, latest.map({ $0.place < place }) ?? true {
            unopened.removeLast()
            guard let segment = try reader.open(entry, store: store) else { continue }
            opened.append(segment)
            take(&latest, from: segment)
        }
        last = latest?.place ?? last
        return latest?.block
    }

    private func take(_ latest: inout (place: ScanPosition, block: BlockReference)?, from segment: OpenSegment) {
        for index in 0..<segment.blocks.count {
            let entry = segment.blocks[index]
            let place = ScanPosition(bucket: entry.lastBucket, sequence: entry.lastSequence)
            guard entry.lines > 0, entry.lastBucket >= horizon, place < last else { continue }
            guard latest.map({ $0.place < place }) ?? true else { continue }
            latest = (place, BlockReference(segment: segment, entry: entry))
        }
    }
}

extension BlockReader {
    /// The last line of a block; `nil`, and a fault, where the block is damaged.
    fileprivate func lastEvent(of block: BlockReference) throws(StoreError) -> StoredEvent? {
        if try mayHoldErased(block) { return try lastVisible(of: block) }
        return try withFrame(block) { (meta, frame) throws(FormatFault) in
            StoredEvent(
                sequence: meta.sequence(ofLine: meta.lines - 1), bucket: meta.lastBucket,
                line: try BlockData.lastLine(frame, of: meta, at: block.dataOffset))
        }
    }

    /// The same where not every line is to be seen.
    private func lastVisible(of block: BlockReference) throws(StoreError) -> StoredEvent? {
        let output = ScanOutput()
        try append(block, buckets: Bucket.earliest...Bucket.latest, order: .time, to: output)
        guard let bucket = output.runs.last?.bucket else { return nil }
        var last: StoredEvent?
        output.forEachLine { line, sequence in
            last = StoredEvent(sequence: sequence, bucket: bucket, line: Array(line))
        }
        return last
    }
}
