import Glibc
import SegmentFormat

// Opening a store to write (SPEC §8): the lock, the manifests, the segments that no manifest lists
// yet, and, after an unclean end, recovery. Nothing is served before it is durable.

/// How a log is opened.
public struct LogOptions: Sendable {
    public var stream = StreamName.interactions
    /// `nil`: the store's own, or 10 minutes where it is made.
    public var resolution: Resolution?
    /// Raw bytes after which a segment is sealed.
    public var sealBytes = 256 << 20
    /// Age at which a segment is sealed.
    public var sealMilliseconds: UInt64 = 3_600_000

    public init() {}
}

/// A store that is ready for its writer.
struct OpenedStore {
    let layout: Layout
    let manifests: ManifestStore
    let active: ActiveSegment
    let memory: DeliveryMemory
    let lock: any DiskFile
    let report: OpenReport
}

struct StoreOpener {
    private let layout: Layout
    private let options: LogOptions
    private let environment: Environment
    private var report = OpenReport()
    private var disk: any Disk { environment.disk }

    static func open(
        _ directory: String, _ options: LogOptions, _ environment: Environment
    ) throws(StoreError) -> OpenedStore {
        var opener = StoreOpener(
            layout: Layout(data: directory, stream: options.stream), options: options, environment: environment)
        return try opener.open()
    }

    private init(layout: Layout, options: LogOptions, environment: Environment) {
        self.layout = layout
        self.options = options
        self.environment = environment
    }

    private mutating func open() throws(StoreError) -> OpenedStore {
        try makeDirectories()
        let lock = try Self.takeLock(layout, disk)
        do throws(StoreError) {
            try emptyTemporary()
            let manifests = try takeManifests()
            var segments = try SegmentRecovery(layout, environment, manifests.current, sources: sourceTable(manifests))
            try segments.run()
            report.notes += segments.notes
            report.faults += segments.faults
            let memory = try deliveryMemory(segments, manifests)
            let active = try activeSegment(segments)
            try list(segments, active, in: manifests)
            return OpenedStore(
                layout: layout, manifests: manifests, active: active, memory: memory, lock: lock, report: report)
        } catch {
            lock.close()
            throw error
        }
    }

    // MARK: - Directories, lock, manifests

    private func makeDirectories() throws(StoreError) {
        try disk.makeDirectories([layout.data] + layout.directories)
        try disk.syncNames(of: layout.root, .storeDirectory)
        try disk.syncNames(of: layout.data, .storeDirectory)
        try disk.syncNames(of: layout.parent, .storeDirectory)
    }

    static func takeLock(_ layout: Layout, _ disk: any Disk) throws(StoreError) -> any DiskFile {
        do throws(SystemFault) {
            return try disk.lock(layout.lock)
        } catch {
            guard error.code != EWOULDBLOCK else {
                throw StoreError(
                    .locked, layout.root,
                    "another process has this store open; stop it, or talk to it (--url) instead")
            }
            throw .disk(error, "lock", layout.lock)
        }
    }

    private func emptyTemporary() throws(StoreError) {
        for name in try disk.names(in: layout.temporary) { try disk.removeFile("\(layout.temporary)/\(name)") }
    }

    private mutating func takeManifests() throws(StoreError) -> ManifestStore {
        let reading = try ManifestReading.read(layout, disk)
        guard let ruling = reading.ruling else { return try makeStore(reading) }
        guard ruling.stream == layout.stream else {
            throw StoreError(.mismatch, layout.root, "this store holds the stream \(ruling.stream)")
        }
        if let wanted = options.resolution, wanted != ruling.resolution {
            throw StoreError(
                .mismatch, layout.root,
                "this store's resolution is \(ruling.resolution.milliseconds) ms, not \(wanted.milliseconds) ms")
        }
        let (notes, faults) = reading.notes(layout)
        report.notes += notes
        report.faults += faults
        return ManifestStore(layout, disk, current: ruling, weakestSlot: reading.weakestSlot)
    }

    /// A manifest is renamed into its place whole and is never removed. So where there is none and no
    /// segment either, no store was ever finished here.
    private mutating func makeStore(_ reading: ManifestReading) throws(StoreError) -> ManifestStore {
        let segments = try disk.names(in: layout.hot).filter { Layout.hotSegment(named: $0) != nil }
        guard reading.isAbsent, segments.isEmpty else {
            throw .corrupt(
                layout.root,
                reading.isAbsent
                    ? "both manifests are missing and there are segments; `daybook repair` makes new ones"
                    : "both manifests are damaged; `daybook repair` makes new ones")
        }
        report.isNew = true
        let resolution = options.resolution ?? .tenMinutes
        let manifest = Manifest(
            store: StoreID(environment.random()),
            deliverySecret: Hash128(low: environment.random(), high: environment.random()),
            created: resolution.bucket(of: environment.now()).milliseconds, stream: layout.stream,
            resolution: resolution)
        let manifests = ManifestStore(layout, disk, current: manifest)
        try manifests.create()
        return manifests
    }

    // MARK: - Deliveries

    /// The source table as of the newest seal that has one.
    private func sourceTable(_ manifests: ManifestStore) throws(StoreError) -> [SourceDelivery] {
        guard let newest = manifests.current.segments.last(where: { !$0.isDamaged }) else { return [] }
        return try seal(of: newest)?.sourced ?? []
    }

    private func seal(of entry: SegmentEntry) throws(StoreError) -> Seal? {
        let path = layout.hotSegment(entry.segment)
        guard let length = try disk.fileLength(path) else { return nil }
        let file = try StoreFile(disk, path, .read)
        let seal = try SegmentIndex.readSeal(file, length: length, segment: entry.segment, salt: entry.salt)
        return try? seal.get()
    }

    /// Keys from the seals of the last day, then what the segments behind them hold.
    private mutating func deliveryMemory(
        _ segments: SegmentRecovery, _ manifests: ManifestStore
    ) throws(StoreError) -> DeliveryMemory {
        var memory = DeliveryMemory()
        for delivery in segments.sources { memory.remember(delivery) }
        let now = environment.now()
        for entry in manifests.current.segments where entry.deliveries > 0 || entry.isDamaged {
            let isRecent = now < entry.sealed || now - entry.sealed <= Bounds.keyMemoryMilliseconds * 2
            guard isRecent else { continue }
            guard let seal = try seal(of: entry) else {
                report.notes.append(
                    "\(layout.hotSegment(entry.segment)): its deliveries cannot be read; "
                        + "repeats of them are stored anew")
                continue
            }
            for delivery in seal.keyed { memory.remember(delivery) }
        }
        for block in segments.deliveries {
            for delivery in block.keyed { memory.remember(delivery) }
            for delivery in block.sourced { memory.remember(delivery) }
        }
        memory.trim(now: now)
        return memory
    }

    // MARK: - The active segment

    /// The one that recovery left, or a new one.
    private func activeSegment(_ segments: SegmentRecovery) throws(StoreError) -> ActiveSegment {
        if let active = segments.active { return active }
        let head = SegmentHead(
            store: segments.manifest.store, segment: segments.highestSegment.next,
            salt: Salt(environment.random()), stream: layout.stream, resolution: segments.manifest.resolution,
            created: segments.manifest.resolution.bucket(of: environment.now()).milliseconds,
            horizon: segments.manifest.horizon)
        let active = try ActiveSegment.create(
            head, layout, disk, nextSequence: segments.nextSequence, now: environment.now())
        try active.publish(layout, disk)
        return active
    }

    private func list(
        _ segments: SegmentRecovery, _ active: ActiveSegment, in manifests: ManifestStore
    ) throws(StoreError) {
        try manifests.update {
            $0.cleanClose = nil
            $0.segments += segments.recoveredEntries
            $0.highestSegment = active.head.segment
            $0.firstUnreserved = max($0.firstUnreserved, segments.nextSequence)
        }
    }
}
