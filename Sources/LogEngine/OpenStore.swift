import Glibc
import SegmentFormat

// Opening a store to write (SPEC §8): the lock, the manifests, the segments that no manifest lists
// yet, and, after an unclean end, recovery. Nothing is served before it is durable.

/// A store that is ready for its writer.
struct OpenedStore {
    let layout: Layout
    let manifests: ManifestStore
    let active: ActiveSegment
    let memory: DeliveryMemory
    let mark: StoreFile
    let lock: any DiskFile
    let reserve: Reserve
    var report: OpenReport
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
        if !options.makesStore, try disk.fileLength(layout.hot) == nil { throw .noStore(at: layout.root) }
        try makeDirectories()
        let lock = try Self.takeLock(layout, disk)
        do throws(StoreError) {
            let reserve = try Reserve(
                layout, disk, bytes: options.reserveBytes,
                sealRoom: Bounds.sealRoom + (options.keys == nil ? 0 : Bounds.keyRoom))
            var opened = try prepare(lock, reserve)
            opened.report = report
            opened.report.notes += reserve.settle()
            return opened
        } catch {
            lock.close()
            throw error
        }
    }

    /// On a full disk all of it is done once more, in the room of RESERVE.
    private mutating func prepare(_ lock: any DiskFile, _ reserve: Reserve) throws(StoreError) -> OpenedStore {
        do throws(StoreError) {
            return try recover(lock, reserve)
        } catch {
            guard error.code == .noSpace, reserve.isHeld else { throw error }
            try reserve.give(until: .missing)
            report = OpenReport()
            return try recover(lock, reserve)
        }
    }

    private mutating func recover(_ lock: any DiskFile, _ reserve: Reserve) throws(StoreError) -> OpenedStore {
        try emptyTemporary()
        let manifests = try takeManifests()
        var segments = try SegmentRecovery(layout, environment, manifests.current, keys: options.keys)
        try segments.run()
        report.notes += segments.notes
        report.faults += segments.faults
        let memory = try deliveryMemory(segments, manifests)
        let active = try activeSegment(segments)
        try list(segments, active, in: manifests)
        let mark = try StoreFile(disk, layout.activeMark, .create)
        try mark.write(active.mark.encoded(), at: 0)
        return OpenedStore(
            layout: layout, manifests: manifests, active: active, memory: memory, mark: mark, lock: lock,
            reserve: reserve, report: report)
    }

    // MARK: - Directories, lock, manifests

    private func makeDirectories() throws(StoreError) {
        try disk.makeDirectories([layout.data] + layout.directories)
        try disk.syncNames(of: layout.data, .storeDirectory)
        try disk.syncNames(of: layout.parent, .storeDirectory)
    }

    static func takeLock(_ layout: Layout, _ disk: any Disk) throws(StoreError) -> any DiskFile {
        do throws(StoreError) {
            return try attempt("lock", layout.lock) { () throws(SystemFault) in try disk.lock(layout.lock) }
        } catch {
            guard error.systemCode == EWOULDBLOCK else { throw error }
            throw StoreError(
                .locked, layout.root, "another process has this store open; stop it, or talk to it (--url) instead")
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
        guard options.makesStore else { throw .noStore(at: layout.root) }
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

    /// What the seals of the last day hold, and what the segments behind them do. A segment whose seal
    /// cannot be read is asked block by block.
    private mutating func deliveryMemory(
        _ segments: SegmentRecovery, _ manifests: ManifestStore
    ) throws(StoreError) -> DeliveryMemory {
        var memory = DeliveryMemory(resolution: manifests.current.resolution)
        let now = environment.now()
        for found in [try listedDeliveries(manifests.current, now: now)] + segments.deliveries {
            for delivery in found.keyed { memory.remember(delivery) }
            for delivery in found.sourced { memory.remember(delivery) }
        }
        memory.trim(now: now)
        return memory
    }

    /// The whole source table is in the newest readable seal of each kind: a cold segment's is that of the
    /// time when it was begun. Others are only read for keys that are not forgotten yet.
    private mutating func listedDeliveries(_ manifest: Manifest, now: UInt64) throws(StoreError) -> FoundDeliveries {
        var found = FoundDeliveries()
        var (needsHot, needsCold) = (true, true)
        let memory = Bounds.keyMemoryMilliseconds + 2 * manifest.resolution.milliseconds
        for entry in manifest.segments.reversed() {
            let isRecent = now < entry.sealed || now - entry.sealed <= memory
            let needsSources = entry.day == nil ? needsHot : needsCold
            guard needsSources || isRecent && (entry.deliveries > 0 || entry.isDamaged) else { continue }
            let these = try deliveries(of: entry, manifest)
            found.keyed += these.keyed
            found.sourced += these.sourced
            if entry.day == nil {
                needsHot = needsHot && !these.isWhole
            } else {
                needsCold = needsCold && !these.isWhole
            }
        }
        found.keyed.sort { ($0.outcome.time, $0.outcome.firstSequence) < ($1.outcome.time, $1.outcome.firstSequence) }
        return found
    }

    private mutating func deliveries(
        of entry: SegmentEntry, _ manifest: Manifest
    ) throws(StoreError) -> FoundDeliveries {
        let path = layout.path(of: entry)
        guard let length = try disk.fileLength(path) else { return FoundDeliveries() }
        let file = try StoreFile(disk, path, .read)
        if !entry.isDamaged {
            let seal = try SegmentIndex.readSeal(file, length: length, segment: entry.segment, salt: entry.salt)
            if case .success(let seal) = seal {
                return FoundDeliveries(keyed: seal.keyed, sourced: seal.sourced, isWhole: true)
            }
            report.notes.append("\(path): the seal is damaged; its deliveries are read from its blocks")
        }
        let survey = try SegmentSurvey.read(
            file, length: length,
            expecting: .init(entry, store: manifest.store, stream: manifest.stream))
        return FoundDeliveries(CommitAnalysis(survey, knownLength: entry.isDamaged ? nil : entry.length).served)
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
            $0.list(
                segments.recoveredEntries, active: active.head.segment,
                highest: max(segments.highestSegment, active.head.segment))
            $0.firstUnreserved = max($0.firstUnreserved, segments.nextSequence)
        }
    }
}

/// Deliveries of one segment.
struct FoundDeliveries {
    var keyed: [KeyedDelivery] = []
    var sourced: [SourceDelivery] = []
    /// From a seal: the sources are the whole table.
    var isWhole = false
}

extension FoundDeliveries {
    init(_ blocks: [SurveyedBlock]) {
        keyed = blocks.flatMap(\.keyed)
        sourced = blocks.flatMap(\.sourced)
    }
}
