import SegmentFormat

// Writes one cold segment: blocks of one UTC day that come in order of time. Made in `tmp/` and synced once,
// with its seal; it lives when a manifest lists it. After any failure it is of no use.

final class ColdSegmentWriter {
    let head: SegmentHead
    let day: UInt32
    /// Bytes written so far.
    private(set) var length: UInt64
    private(set) var totals = SegmentTotals(startingAt: .first)
    let place: SegmentPlace
    private let disk: any Disk
    private let file: StoreFile
    private let hash: RunningHash
    private var index: [BlockIndexEntry] = []
    private var keyed: [KeyedDelivery] = []
    private var keys: [(hash: UInt64, block: Int)] = []

    /// Makes the file with its head. `day` in days since 1970.
    init(_ head: SegmentHead, day: UInt32, at place: SegmentPlace, _ disk: any Disk) throws(StoreError) {
        let bytes = head.encoded()
        file = try StoreFile(disk, place.temporary, .create, name: place.path)
        try file.write(bytes, at: 0)
        hash = RunningHash(seed: head.salt.value)
        hash.update(bytes)
        length = UInt64(bytes.count)
        self.head = head
        self.day = day
        self.place = place
        self.disk = disk
    }

    /// Writes a block as a commit of its own; `meta` has all but its place. It must follow the blocks before
    /// it, and be of the day (SPEC C2). Not synced.
    func append(_ meta: BlockMeta, _ data: [UInt8], keys hashes: [UInt64] = []) throws(StoreError) {
        precondition(meta.lines == 0 || follows(meta), "a block that does not follow in \(file.path)")
        var meta = meta
        meta.segment = head.segment
        meta.commit = totals.lastCommit.next
        meta.indexInCommit = 0
        meta.blocksInCommit = 1
        let frame = meta.encoded(salt: head.salt)
        try file.write(frame, at: length)
        try file.write(data, at: length + UInt64(frame.count))
        hash.update(frame)
        hash.update(data)
        let entry = BlockIndexEntry(meta, offset: length, metaLength: frame.count)
        for hash in hashes { keys.append((hash, index.count)) }
        index.append(entry)
        totals.add(entry)
        keyed += meta.keyed
        length = entry.end
    }

    /// Pairs of key and block.
    var keyCount: Int { keys.count }

    private func follows(_ meta: BlockMeta) -> Bool {
        meta.firstBucket >= totals.lastBucket && meta.firstBucket.day == Int(day) && meta.lastBucket.day == Int(day)
    }

    /// Writes the seal, with the deliveries of the blocks and the whole source table as it stands, and makes
    /// the file durable. `sealed` in milliseconds, floored to the resolution. Returns the manifest entry.
    func seal(sources: [SourceDelivery], sealed: UInt64) throws(StoreError) -> SegmentEntry {
        let seal = Seal(
            segment: head.segment, totals: totals, index: index, keyed: keyed, sourced: sources,
            fileHash: hash.wide, keys: KeyIndex(keys))
        let bytes = seal.encoded(salt: head.salt)
        try file.write(bytes, at: length)
        hash.update(bytes)
        length += UInt64(bytes.count)
        try file.setModificationTime(sealed)
        try file.sync(place.content)
        return SegmentEntry(
            segment: head.segment, salt: head.salt, length: length, fileHash: hash.wide, totals: totals,
            sealed: sealed, day: day, deliveries: keyed.count, isDamaged: false)
    }

    /// Moves the sealed file to its place, durably.
    func publish() throws(StoreError) {
        try disk.makeDirectories([place.directory])
        try disk.moveFile(place.temporary, to: place.path)
        for names in place.names { try disk.syncNames(of: names.directory, names.point) }
    }
}
