import SegmentFormat

// What becomes of the hot segments that the manifest does not list (SPEC §8). Files are never
// truncated: what recovery keeps is copied byte for byte to a new file that takes the old one's
// name, because nobody knows which bytes of the old one the disk really has.

struct SegmentRecovery {
    let manifest: Manifest
    private(set) var notes: [String] = []
    private(set) var faults: [FileFault] = []
    private(set) var active: ActiveSegment?
    /// Segments to be listed that were not.
    private(set) var recoveredEntries: [SegmentEntry] = []
    /// Of the segments that are not listed, oldest first.
    private(set) var deliveries: [FoundDeliveries] = []
    private(set) var nextSequence: Sequence
    private(set) var highestSegment: SegmentNumber
    private let layout: Layout
    private let environment: Environment
    private let keys: StreamKeys?
    private var disk: any Disk { environment.disk }

    init(
        _ layout: Layout, _ environment: Environment, _ manifest: Manifest, keys: StreamKeys?
    ) throws(StoreError) {
        self.keys = keys
        self.layout = layout
        self.environment = environment
        self.manifest = manifest
        // Sequences up to the reservation may have been given out; a clean close says which were.
        nextSequence = manifest.cleanClose?.nextSequence ?? manifest.firstUnreserved
        highestSegment = manifest.highestSegment
    }

    mutating func run() throws(StoreError) {
        try checkListed()
        var files = StoreFiles(layout, environment.disk, manifest)
        let unlisted = try files.sort()
        notes += files.notes
        for segment in unlisted {
            highestSegment = max(highestSegment, segment)
            if let clean = manifest.cleanClose, clean.segment == segment {
                try reopen(segment, clean)
            } else {
                try recover(segment, isLast: segment == unlisted.last)
            }
        }
        if let clean = manifest.cleanClose, !unlisted.contains(clean.segment) {
            report(.fileMissing, at: 0, layout.hotSegment(clean.segment))
        }
    }

    private mutating func report(_ clause: Clause, at offset: UInt64, _ path: String) {
        report([FormatFault(clause, at: offset)], path)
    }

    private mutating func report(_ found: [FormatFault], _ path: String) {
        for fault in found {
            faults.append(FileFault(path: path, fault: fault))
            notes.append("\(path): \(fault)")
        }
    }

    /// Listed segments are only looked at from outside: their bytes are checked when they are read.
    private mutating func checkListed() throws(StoreError) {
        for entry in manifest.segments {
            let path = layout.path(of: entry)
            switch try disk.fileLength(path) {
            case nil: report(.fileMissing, at: 0, path)
            case .some(let length) where length != entry.length:
                report(.fileLength, at: min(length, entry.length), path)
            default: break
            }
        }
    }

    // MARK: - After a clean close

    /// The manifest knows this file to the byte, so whatever is wrong with it is corruption, and what is
    /// right was synced.
    private mutating func reopen(_ segment: SegmentNumber, _ clean: CleanClose) throws(StoreError) {
        let path = layout.hotSegment(segment)
        let file = try StoreFile(disk, path, .update)
        let length = try file.length()
        let survey = try survey(file, segment, length: min(length, clean.length), salt: clean.salt)
        let analysis = CommitAnalysis(survey, knownLength: clean.length)
        deliveries.append(FoundDeliveries(analysis.served))
        guard let head = survey.head, !analysis.isCorrupt, length == clean.length,
            analysis.lastCommit == clean.lastCommit
        else {
            if length > clean.length { report(.fileLength, at: clean.length, path) }
            if analysis.corruption.isEmpty, analysis.lastCommit != clean.lastCommit {
                report(.commitOrder, at: analysis.end, path)
            }
            return try keepDamaged(segment, clean.salt, analysis, copying: length)
        }
        active = try activeSegment(file, head, analysis)
    }

    private func survey(
        _ file: StoreFile, _ segment: SegmentNumber, length: UInt64, salt: Salt?
    ) throws(StoreError) -> SegmentSurvey {
        try SegmentSurvey.read(
            file, length: length,
            expecting: .init(segment: segment, store: manifest.store, stream: manifest.stream, salt: salt))
    }

    private func activeSegment(
        _ file: StoreFile, _ head: SegmentHead, _ analysis: CommitAnalysis
    ) throws(StoreError) -> ActiveSegment {
        let hash = try Self.hash(file, length: analysis.end, salt: head.salt)
        return ActiveSegment(
            head: head, file: file, length: analysis.end, blocks: analysis.served, nextSequence: nextSequence,
            opened: environment.now(), hash: hash, keys: try activeKeys(file, head, analysis))
    }

    /// No file has the keys of a segment before its seal does: they are taken from its lines again.
    private func activeKeys(
        _ file: StoreFile, _ head: SegmentHead, _ analysis: CommitAnalysis
    ) throws(StoreError) -> ActiveKeys {
        let found = ActiveKeys()
        guard let keys else { return found }
        let entries = analysis.served.map(\.entry)
        let segment = OpenSegment(number: head.segment, salt: head.salt, file: file, blocks: BlockList(entries))
        let reader = BlockReader(SegmentAccess(layout, disk))
        let output = ScanOutput()
        for (index, entry) in entries.enumerated() where entry.lines > 0 {
            output.clear()
            try reader.append(
                BlockReference(segment: segment, entry: entry), buckets: Bucket.earliest...Bucket.latest, order: .time,
                to: output)
            var hashes: Set<UInt64> = []
            output.bytes.forEachLine { line in if let key = keys.key(line) { hashes.insert(key.indexed) } }
            found.add(Array(hashes), block: index)
        }
        return found
    }

    static func hash(_ file: StoreFile, length: UInt64, salt: Salt) throws(StoreError) -> RunningHash {
        let hash = RunningHash(seed: salt.value)
        let window = FileWindow(file, length: length)
        var offset: UInt64 = 0
        while offset < length {
            let bytes = try window.bytes(at: offset, count: 1 << 20)
            guard !bytes.isEmpty else { break }
            hash.update(bytes)
            offset += UInt64(bytes.count)
        }
        return hash
    }

    // MARK: - After an unclean end

    private mutating func recover(_ segment: SegmentNumber, isLast: Bool) throws(StoreError) {
        let path = layout.hotSegment(segment)
        let file = try StoreFile(disk, path, .read)
        let length = try file.length()
        let marked = try markedSalt(segment)
        let survey = try survey(file, segment, length: length, salt: marked)
        let analysis = CommitAnalysis(survey)
        deliveries.append(FoundDeliveries(analysis.served))
        if let last = analysis.served.last { nextSequence = max(nextSequence, last.entry.lastSequence + 1) }
        if analysis.tornBytes > 0 {
            notes.append(
                "\(path): dropped a torn tail of \(analysis.tornBytes) bytes at offset \(analysis.end), "
                    + "never acknowledged")
        }
        guard let head = survey.head, !analysis.isCorrupt else {
            let salt = survey.head?.salt ?? marked ?? .none
            return try keepDamaged(segment, salt, analysis, copying: length)
        }
        if let seal = survey.seal {
            // Its seal was synced if a later segment was begun; else its last sync is unknown.
            let kept = isLast ? try copy(file, segment, length: length) : file
            deliveries.append(FoundDeliveries(keyed: [], sourced: seal.sourced, isWhole: true))
            recoveredEntries.append(try entry(kept, head.salt, length, seal.totals, seal.keyed.count, isDamaged: false))
        } else if isLast {
            let kept = try copy(file, segment, length: analysis.end)
            active = try activeSegment(kept, head, analysis)
        } else {
            report(.sealEnd, at: analysis.end, path)
            try keepDamaged(segment, head.salt, analysis, copying: length)
        }
    }

    /// The salt of a segment as the active mark has it: all that can still be had where a head is damaged.
    private func markedSalt(_ segment: SegmentNumber) throws(StoreError) -> Salt? {
        guard let mark = try ActiveMark.read(layout, disk), mark.segment == segment else { return nil }
        return mark.salt
    }

    /// Keeps a file with bad bytes as it is, copied so that what is good in it is durable, and lists it.
    private mutating func keepDamaged(
        _ segment: SegmentNumber, _ salt: Salt, _ analysis: CommitAnalysis, copying length: UInt64
    ) throws(StoreError) {
        let path = layout.hotSegment(segment)
        report(analysis.corruption, path)
        notes.append("\(path) is damaged; it is kept, its good blocks are served, and appends go on in a new segment")
        let kept = try copy(try StoreFile(disk, path, .read), segment, length: length)
        var totals = SegmentTotals(startingAt: analysis.served.first?.entry.firstSequence ?? nextSequence)
        for block in analysis.served { totals.add(block.entry) }
        nextSequence = max(nextSequence, manifest.firstUnreserved, totals.nextSequence)
        recoveredEntries.append(
            try entry(
                kept, salt, length, totals, analysis.served.reduce(0) { $0 + $1.keyed.count },
                isDamaged: true))
    }

    private func entry(
        _ file: StoreFile, _ salt: Salt, _ length: UInt64, _ totals: SegmentTotals, _ deliveries: Int,
        isDamaged: Bool
    ) throws(StoreError) -> SegmentEntry {
        SegmentEntry(
            segment: Layout.segment(at: file.path)?.number ?? highestSegment, salt: salt, length: length,
            fileHash: try Self.hash(file, length: length, salt: salt).wide, totals: totals,
            sealed: manifest.resolution.bucket(of: environment.now()).milliseconds, deliveries: deliveries,
            isDamaged: isDamaged)
    }

    /// The first `length` bytes of a segment in a new file of the same name, durably.
    private func copy(
        _ file: StoreFile, _ segment: SegmentNumber, length: UInt64
    ) throws(StoreError) -> StoreFile {
        try file.copy(
            length, to: layout.hotSegment(segment), through: layout.temporarySegment(segment), disk)
    }
}
