import SegmentFormat

// Making new manifests for a store that lost both (SPEC V9): from what the segments say themselves.

public struct RepairReport: Sendable {
    /// Segments with a readable head.
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
            throw StoreError(.missing, layout.root, "there is no store here")
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
    private let layout: Layout
    private let environment: Environment
    private var disk: any Disk { environment.disk }
    private var heads: [SegmentHead] = []
    private var entries: [SegmentEntry] = []
    private var nextSequence = Sequence.first
    private var report = RepairReport()

    init(_ layout: Layout, _ environment: Environment) {
        self.layout = layout
        self.environment = environment
    }

    private var noSegments: StoreError { StoreError(.missing, layout.root, "there is no readable segment here") }

    mutating func surveySegments() throws(StoreError) {
        let names = try disk.names(in: layout.hot).sorted()
        let segments = names.compactMap { Layout.hotSegment(named: $0) }
        for segment in segments { try survey(segment, isLast: segment == segments.last) }
        guard !heads.isEmpty else { throw noSegments }
        let replaced = Set(heads.flatMap(\.replaced))
        entries.removeAll { replaced.contains($0.segment) }
        for segment in replaced.sorted() {
            report.notes.append("\(layout.hotSegment(segment)) was replaced by another segment; it is left out")
        }
    }

    private mutating func survey(_ segment: SegmentNumber, isLast: Bool) throws(StoreError) {
        let path = layout.hotSegment(segment)
        let file = try StoreFile(disk, path, .read)
        let length = try file.length()
        let survey = try SegmentSurvey.read(
            file, length: length, expecting: .init(segment: segment, store: heads.first?.store, stream: layout.stream))
        guard let head = survey.head else {
            report.notes.append("\(path) has no readable head; it is left out")
            return
        }
        let analysis = CommitAnalysis(survey)
        var totals = SegmentTotals(startingAt: analysis.served.first?.entry.firstSequence ?? .first)
        for block in analysis.served { totals.add(block.entry) }
        heads.append(head)
        report.lines += totals.lines
        nextSequence = max(nextSequence, totals.nextSequence)
        // Left unlisted, it is the active segment, and the next open recovers it.
        if isLast, survey.seal == nil, !analysis.isCorrupt { return }
        let isWhole = survey.seal != nil && !analysis.isCorrupt
        if !isWhole { report.notes.append("\(path) is damaged; its good blocks are served") }
        entries.append(
            SegmentEntry(
                segment: segment, salt: head.salt, length: length,
                fileHash: try SegmentRecovery.hash(file, length: length, salt: head.salt).wide, totals: totals,
                sealed: head.resolution.bucket(of: environment.now()).milliseconds, deliveries: 0,
                isDamaged: !isWhole))
    }

    mutating func writeManifests() throws(StoreError) -> RepairReport {
        guard let head = heads.last else { throw noSegments }
        var manifest = Manifest(
            store: head.store,
            deliverySecret: Hash128(low: environment.random(), high: environment.random()),
            created: head.resolution.bucket(of: environment.now()).milliseconds, stream: layout.stream,
            resolution: head.resolution)
        manifest.horizon = heads.map(\.horizon).max() ?? .earliest
        manifest.segments = entries
        manifest.highestSegment = heads.map(\.segment).max() ?? SegmentNumber(0)
        manifest.firstUnreserved = Sequence(nextSequence.value + Bounds.sequenceReservation)
        // A copy of a store may lack the directories that were empty.
        try disk.makeDirectories(layout.directories)
        try ManifestStore(layout, disk, current: manifest).create()
        report.segments = heads.count
        report.notes.append("the memory of deliveries is gone: a batch that is repeated now is stored again")
        return report
    }
}
