import SegmentFormat

// Making new manifests for a store that lost both (SPEC V9): from what the segments say themselves.

public struct RepairReport: Sendable {
    /// Segments that live.
    public var segments = 0
    public var lines: UInt64 = 0
    public var notes: [String] = []
}

extension StoreReader {
    /// Rebuilds both manifests. Refused where one of them is valid, and where the segments are of
    /// different stores.
    public static func repair(
        _ directory: String, options: LogOptions, environment: Environment
    ) throws(StoreError) -> RepairReport {
        let layout = Layout(data: directory, stream: options.stream)
        let disk = environment.disk
        guard try disk.fileLength(layout.hot) != nil else {
            throw .noStore(at: layout.root)
        }
        let lock = try StoreOpener.takeLock(layout, disk)
        defer { lock.close() }
        guard try ManifestReading.read(layout, disk).ruling == nil else {
            throw StoreError(.mismatch, layout.root, "a manifest is valid: there is nothing to repair")
        }
        var repair = Repair(layout, environment)
        try repair.surveySegments()
        return try repair.writeManifests()
    }
}

private struct Repair {
    private struct Found {
        let head: SegmentHead
        let path: String
        /// `nil` for the segment that appends went to: left unlisted, it is recovered by the next open.
        let entry: SegmentEntry?
        let lines: UInt64
    }

    private let layout: Layout
    private let environment: Environment
    private var disk: any Disk { environment.disk }
    private var found: [Found] = []
    /// Of no use, and nothing says that they may go.
    private var unreadable: [String] = []
    private var nextSequence = Sequence.first
    private var report = RepairReport()

    init(_ layout: Layout, _ environment: Environment) {
        self.layout = layout
        self.environment = environment
    }

    // MARK: - Segments

    mutating func surveySegments() throws(StoreError) {
        // A copy of a store may lack the directories that were empty.
        try disk.makeDirectories(layout.directories)
        let hot = try disk.names(in: layout.hot).compactMap { Layout.hotSegment(named: $0) }
        var files = hot.map { (segment: $0, path: layout.hotSegment($0)) }
        for day in try disk.names(in: layout.cold).compactMap({ Layout.coldDay(named: $0) }) {
            let names = try disk.names(in: layout.coldDirectory(day))
            files += names.compactMap { Layout.coldSegment(named: $0) }.map { ($0, layout.coldSegment($0, day: day)) }
        }
        let last = hot.max().map { layout.hotSegment($0) }
        for file in files.sorted(by: { $0.segment < $1.segment }) {
            try survey(file.path, mayBeActive: file.path == last)
        }
    }

    private mutating func survey(_ path: String, mayBeActive: Bool) throws(StoreError) {
        guard let (segment, kind) = Layout.segment(at: path) else { return }
        let file = try StoreFile(disk, path, .read)
        let length = try file.length()
        let survey = try SegmentSurvey.read(
            file, length: length,
            expecting: .init(segment: segment, kind: kind, store: found.first?.head.store, stream: layout.stream))
        guard let head = survey.head, found.last?.head.segment != segment else {
            unreadable.append(path)
            return
        }
        let analysis = CommitAnalysis(survey)
        let first = kind.isCold ? nil : analysis.served.first?.entry.firstSequence
        var totals = SegmentTotals(startingAt: first ?? .first)
        for block in analysis.served { totals.add(block.entry) }
        nextSequence = max(nextSequence, totals.nextSequence)
        let isWhole = survey.seal != nil && !analysis.isCorrupt
        if mayBeActive, survey.seal == nil, !analysis.isCorrupt {
            return found.append(Found(head: head, path: path, entry: nil, lines: totals.lines))
        }
        let entry = SegmentEntry(
            segment: segment, salt: head.salt, length: length,
            fileHash: try SegmentRecovery.hash(file, length: length, salt: head.salt).wide, totals: totals,
            sealed: head.resolution.bucket(of: environment.now()).milliseconds, day: kind.day, deliveries: 0,
            isDamaged: !isWhole)
        found.append(Found(head: head, path: path, entry: entry, lines: totals.lines))
    }

    /// What has no head of this store is kept where no writer takes it for a segment that was replaced.
    private mutating func putAside(_ resolution: Resolution) throws(StoreError) {
        guard !unreadable.isEmpty else { return }
        // What it holds is not known, only that it was written before now.
        let now = resolution.bucket(of: environment.now())
        try disk.makeDirectories([layout.damaged])
        for path in unreadable {
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            try disk.moveFile(path, to: layout.damagedFile(name, from: now))
            report.notes.append("\(path) has no head of this store that can be read; it is moved to damaged/")
        }
        try disk.syncNames(of: layout.damaged, .recoveredDirectory)
    }

    // MARK: - Checkpoints

    /// The newest that are whole, and of the store that `head` is of.
    private func checkpoints(_ head: SegmentHead) throws(StoreError) -> [Checkpoint] {
        var found: [Checkpoint] = []
        for generation in try disk.names(in: layout.views).compactMap({ Layout.checkpoint(named: $0) }).sorted() {
            guard let checkpoint = try Checkpoint.found(generation, of: head, layout, disk) else { continue }
            if found.last.map({ $0.through <= checkpoint.through }) ?? true { found.append(checkpoint) }
        }
        return found.suffix(Checkpoint.generations)
    }

    // MARK: - Manifests

    mutating func writeManifests() throws(StoreError) -> RepairReport {
        guard let head = found.last?.head else {
            throw StoreError(.missing, layout.root, "there is no readable segment here")
        }
        try putAside(head.resolution)
        let living = Succession.living(
            Dictionary(uniqueKeysWithValues: found.map { ($0.head.segment, $0.head.replaced) }))
        for dead in found where !living.contains(dead.head.segment) {
            report.notes.append("\(dead.path) was replaced, or is not finished; it is left out")
        }
        let kept = found.filter { living.contains($0.head.segment) }
        for damaged in kept where damaged.entry?.isDamaged ?? false {
            report.notes.append("\(damaged.path) is damaged; its good blocks are served")
        }
        var manifest = Manifest(
            store: head.store,
            deliverySecret: Hash128(low: environment.random(), high: environment.random()),
            created: head.resolution.bucket(of: environment.now()).milliseconds, stream: layout.stream,
            resolution: head.resolution)
        manifest.horizon = found.map(\.head.horizon).max() ?? .earliest
        manifest.lists.checkpoints = try checkpoints(head)
        let active = kept.first { $0.entry == nil }?.head.segment
        let highest = max(head.segment, manifest.highestSegment)
        manifest.list(kept.compactMap(\.entry), active: active ?? highest.next, highest: highest)
        manifest.firstUnreserved = Sequence(nextSequence.value + Bounds.sequenceReservation)
        try ManifestStore(layout, disk, current: manifest).create()
        report.segments = kept.count
        report.lines = kept.reduce(0) { $0 + $1.lines }
        report.notes.append("the memory of deliveries is gone: a batch that is repeated now is stored again")
        return report
    }
}
