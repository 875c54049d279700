import SegmentFormat

// Reading a directory without its lock, beside a live writer or with none (SPEC §10). Nothing is
// written. What the manifest names is opened at once, and can be read even if it is removed; if the writer has
// moved on meanwhile, the reader starts over.

public enum StoreReader {
    private static let tries = 16

    /// A snapshot of what is durable, and what there is to say about it. In the active segment it goes as
    /// far as the active mark says.
    public static func snapshot(
        of directory: String, options: LogOptions, environment: Environment
    ) throws(StoreError) -> (snapshot: LogSnapshot, notes: [String]) {
        let layout = Layout(data: directory, stream: options.stream)
        for attempt in 1...tries {
            let isLast = attempt == tries
            if let found = try attemptSnapshot(layout, environment.disk, options.keys, isLast: isLast) { return found }
        }
        throw StoreError(.busy, layout.root, "the writer moves faster than this reader; try again")
    }

    private static func attemptSnapshot(
        _ layout: Layout, _ disk: any Disk, _ keys: StreamKeys?, isLast: Bool
    ) throws(StoreError) -> (snapshot: LogSnapshot, notes: [String])? {
        let reading = try ManifestReading.read(layout, disk)
        guard let manifest = reading.ruling else { throw absent(reading, layout) }
        var (notes, faults) = reading.notes(layout)
        let (held, missing) = try open(manifest.segments, layout, disk)
        faults += missing.map { FileFault(path: $0, fault: FormatFault(.fileMissing, at: 0)) }
        let access = SegmentAccess(layout, disk, holding: held)
        var active = try activeView(manifest, access, &notes)
        if isLast, case .moved = active {
            // No writer is at work: its mark stayed behind when it was cut off.
            notes.append("\(layout.activeMark) is out of date; events behind the last seal are not shown")
            active = .found(nil)
        }
        guard try ManifestReading.read(layout, disk).ruling?.generation == manifest.generation else { return nil }
        guard case .found(let view) = active else { return nil }
        for fault in faults { access.faults.report(fault) }
        let snapshot = LogSnapshot(
            manifest: manifest, sealed: SealedSegments(manifest.segments), active: view, access: access,
            erasures: Erasures(manifest.lists.tombstones, keys))
        return (snapshot, notes)
    }

    /// Opens the files of listed segments, hot ones first: compaction takes them soonest. Beyond `most` it only
    /// looks for them.
    static func open(
        _ entries: [SegmentEntry], _ layout: Layout, _ disk: any Disk, atMost most: Int = Bounds.heldFiles
    ) throws(StoreError) -> (held: [SegmentNumber: StoreFile], missing: [String]) {
        var held: [SegmentNumber: StoreFile] = [:]
        var missing: [String] = []
        for entry in entries.filter({ $0.day == nil }) + entries.filter({ $0.day != nil }) {
            let path = layout.path(of: entry)
            if held.count < most {
                held[entry.segment] = try StoreFile.openIfThere(disk, path)
                if held[entry.segment] == nil { missing.append(path) }
            } else if try disk.fileLength(path) == nil {
                missing.append(path)
            }
        }
        return (held, missing)
    }

    private static func absent(_ reading: ManifestReading, _ layout: Layout) -> StoreError {
        guard reading.isAbsent else {
            return .corrupt(layout.root, "both manifests are damaged; `daybook repair` makes new ones")
        }
        return .noStore(at: layout.root)
    }

    private enum ActiveReading {
        case found(ActiveView?)
        /// The writer rolled between two looks.
        case moved
    }

    private static func activeView(
        _ manifest: Manifest, _ access: SegmentAccess, _ notes: inout [String]
    ) throws(StoreError) -> ActiveReading {
        let (layout, disk) = (access.layout, access.disk)
        guard let mark = try durableEnd(manifest, layout, disk) else {
            notes.append("\(layout.activeMark) is missing or damaged; events since the last seal are not shown")
            return .found(nil)
        }
        guard mark.segment >= manifest.firstLiveUnlisted else { return .moved }
        let path = layout.hotSegment(mark.segment)
        guard let file = try StoreFile.openIfThere(disk, path) else { return .moved }
        let length = try file.length()
        let survey = try SegmentSurvey.read(
            file, length: min(mark.length, length),
            expecting: .init(segment: mark.segment, store: manifest.store, stream: manifest.stream, salt: mark.salt))
        let analysis = CommitAnalysis(survey, knownLength: mark.length)
        let faults = analysis.corruption.map { FileFault(path: path, fault: $0) }
        if length > mark.length, manifest.cleanClose == nil {
            notes.append(
                "\(path): \(length - mark.length) bytes behind the last commit "
                    + "that is known to be durable are not shown")
        }
        var totals = SegmentTotals(startingAt: mark.nextSequence)
        for block in analysis.served { totals.add(block.entry) }
        totals.nextSequence = max(totals.nextSequence, mark.nextSequence)
        let segment = OpenSegment(
            number: mark.segment, salt: mark.salt, file: file,
            blocks: BlockList(analysis.served.map(\.entry)), faults: faults)
        for fault in faults { access.faults.report(fault) }
        return .found(ActiveView(segment: segment, totals: totals, length: mark.length))
    }

    /// How far the active segment goes: after a clean close the manifest knows, else the mark does.
    private static func durableEnd(
        _ manifest: Manifest, _ layout: Layout, _ disk: any Disk
    ) throws(StoreError) -> ActiveMark? {
        if let clean = manifest.cleanClose {
            return ActiveMark(
                segment: clean.segment, salt: clean.salt, length: clean.length, lastCommit: clean.lastCommit,
                nextSequence: clean.nextSequence)
        }
        // Read in the middle of a write it does not verify, and the next look sees it whole.
        for _ in 0..<tries {
            if let mark = try ActiveMark.read(layout, disk) { return mark }
        }
        return nil
    }
}

extension ActiveMark {
    /// The active mark of a store; `nil` where it is missing or damaged.
    static func read(_ layout: Layout, _ disk: any Disk) throws(StoreError) -> ActiveMark? {
        guard try disk.fileLength(layout.activeMark) != nil else { return nil }
        let bytes = try StoreFile(disk, layout.activeMark, .read).read(ActiveMark.byteCount, at: 0)
        return try? bytes.decoded(ActiveMark.decode)
    }
}
