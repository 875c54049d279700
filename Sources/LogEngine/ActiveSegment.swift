import Glibc
import SegmentFormat

// The segment that takes appends. Between calls the file is durable up to `length`, and its index,
// totals and hash speak of just those bytes.

/// A block that is about to be written.
struct NewBlock {
    let meta: BlockMeta
    let data: [UInt8]
    /// Hashes of the keys of its lines.
    var keys: [UInt64] = []
}

final class ActiveSegment {
    let head: SegmentHead
    let file: StoreFile
    private(set) var length: UInt64
    private(set) var totals: SegmentTotals
    private(set) var index: BlockList
    private(set) var keyed: [KeyedDelivery]
    /// The first sequence that may be given out: at times above what the last event's says (SPEC V7).
    private(set) var nextSequence: Sequence
    /// When it took its first event, in this process.
    let opened: UInt64
    let keys: ActiveKeys
    private let hash: RunningHash

    init(
        head: SegmentHead, file: StoreFile, length: UInt64, blocks: [SurveyedBlock], nextSequence: Sequence,
        opened: UInt64, hash: RunningHash, keys: ActiveKeys = ActiveKeys()
    ) {
        self.head = head
        self.file = file
        self.length = length
        self.opened = opened
        self.hash = hash
        self.keys = keys
        index = BlockList(blocks.map(\.entry))
        keyed = blocks.flatMap(\.keyed)
        var totals = SegmentTotals(startingAt: blocks.first?.entry.firstSequence ?? nextSequence)
        for block in blocks { totals.add(block.entry) }
        self.totals = totals
        self.nextSequence = max(nextSequence, totals.nextSequence)
    }

    /// Makes a segment file with its head in `tmp/`; it lives once it is renamed into `hot/`.
    static func create(
        _ head: SegmentHead, _ layout: Layout, _ disk: any Disk, nextSequence: Sequence, now: UInt64
    ) throws(StoreError) -> ActiveSegment {
        let bytes = head.encoded()
        let file = try StoreFile(
            disk, layout.temporarySegment(head.segment), .create, name: layout.hotSegment(head.segment))
        try file.write(bytes, at: 0)
        try file.sync(.segmentHead)
        let hash = RunningHash(seed: head.salt.value)
        hash.update(bytes)
        return ActiveSegment(
            head: head, file: file, length: UInt64(bytes.count), blocks: [], nextSequence: nextSequence,
            opened: now, hash: hash)
    }

    /// Moves a created segment into `hot/`, durably.
    func publish(_ layout: Layout, _ disk: any Disk) throws(StoreError) {
        try disk.moveFile(layout.temporarySegment(head.segment), to: layout.hotSegment(head.segment))
        try disk.syncNames(of: layout.hot, .segmentDirectory)
    }

    var nextCommit: CommitNumber { totals.lastCommit.next }
    var mark: ActiveMark {
        ActiveMark(
            segment: head.segment, salt: head.salt, length: length, lastCommit: totals.lastCommit,
            nextSequence: nextSequence)
    }

    /// Writes the blocks of one commit and makes them durable. If the disk is full, nothing was
    /// written; any other failure leaves the end of the file unknown, and the segment unusable. Returns how
    /// long the sync took by `uptime`, in its nanoseconds.
    func commit(_ blocks: [NewBlock], uptime: () -> UInt64) throws(StoreError) -> UInt64 {
        let frames = blocks.map { (meta: $0.meta.encoded(salt: head.salt), data: $0.data) }
        let result: Result<UInt64, StoreError> = withExtendedLifetime(frames) {
            var pieces: [UnsafeRawBufferPointer] = []
            for frame in frames {
                frame.meta.withUnsafeBytes { pieces.append($0) }
                frame.data.withUnsafeBytes { pieces.append($0) }
            }
            return Result { () throws(StoreError) in try append(pieces, uptime) }
        }
        let syncNanoseconds = try result.get()
        for (block, frame) in zip(blocks, frames) {
            let entry = BlockIndexEntry(block.meta, offset: length, metaLength: frame.meta.count)
            keys.add(block.keys, block: index.count)
            index.append(entry)
            totals.add(entry)
            keyed += block.meta.keyed
            length = entry.end
        }
        nextSequence = max(nextSequence, totals.nextSequence)
        return syncNanoseconds
    }

    private func append(_ pieces: [UnsafeRawBufferPointer], _ uptime: () -> UInt64) throws(StoreError) -> UInt64 {
        try writeOrTakeBack(pieces)
        let written = uptime()
        try file.sync(.commit)
        let synced = uptime()
        for piece in pieces { hash.update(piece) }
        return synced - written
    }

    /// A write that the disk has no room for leaves the file as it was, durably.
    private func writeOrTakeBack(_ pieces: [UnsafeRawBufferPointer]) throws(StoreError) {
        do throws(StoreError) {
            try file.write(pieces, at: length)
        } catch {
            guard error.code == .noSpace else { throw error }
            try file.truncate(to: length)
            try file.sync(.commit)
            throw error
        }
    }

    /// Writes the seal and makes it durable; the segment takes no more. Returns its manifest entry.
    func seal(sources: [SourceDelivery], now: UInt64) throws(StoreError) -> SegmentEntry {
        let seal = Seal(
            segment: head.segment, totals: totals, index: index.entries, keyed: keyed, sourced: sources,
            fileHash: hash.wide, keys: keys.index)
        let bytes = seal.encoded(salt: head.salt)
        let result: Result<Void, StoreError> = bytes.withUnsafeBytes { bytes in
            Result { () throws(StoreError) in try writeOrTakeBack([bytes]) }
        }
        try result.get()
        let sealed = head.resolution.bucket(of: now).milliseconds
        try setTime(sealed)
        try file.sync(.seal)
        hash.update(bytes)
        length += UInt64(bytes.count)
        return SegmentEntry(
            segment: head.segment, salt: head.salt, length: length, fileHash: hash.wide, totals: totals,
            sealed: sealed, deliveries: keyed.count, isDamaged: false)
    }

    /// The seal stands behind `length` by now, so there is no going on after a failure, whatever it is.
    private func setTime(_ milliseconds: UInt64) throws(StoreError) {
        do throws(StoreError) {
            try file.setModificationTime(milliseconds)
        } catch {
            throw error.beyondRepair
        }
    }
}
