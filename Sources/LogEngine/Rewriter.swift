import Glibc
import SegmentFormat

/// How cold segments are made.
public struct CompactionOptions: Sendable {
    /// Of Zstandard, 1–19.
    public var level = 6
    /// Raw bytes of a block, 256 KiB–1 MiB.
    public var blockBytes = 1 << 20
    /// Bytes that no cold segment passes.
    public var segmentBytes: UInt64 = 1 << 30
    /// Raw bytes a second; `nil`: as fast as it goes.
    public var bytesPerSecond: UInt64?

    public init() {}
}

/// How far a job has come.
public struct JobProgress: Sendable {
    public let events: UInt64
    public let eventsInAll: UInt64
    /// Bytes of the files written so far.
    public let writtenBytes: UInt64
}

/// What is to be written anew.
struct Rewrite {
    let inputs: [SegmentEntry]
    /// Lines before it are left out.
    let floor: Bucket
    let manifest: Manifest
    /// Of the inputs, what is not forgotten yet.
    var keyed: [KeyedDelivery] = []
    /// The whole source table.
    var sources: [SourceDelivery] = []
    /// Writes what is good of a damaged input; else that fails.
    var leavesOutDamage = false
    let now: UInt64
}

/// Writes the lines of some segments anew, as cold segments in order of time (SPEC M1). What it makes is
/// durable, but nobody lists it yet.
final class Rewriter {
    private let task: Rewrite
    private let options: CompactionOptions
    private let log: EventLog
    private let access: SegmentAccess
    private let encoder: ZstdEncoder
    /// Called between two blocks; throws to give up.
    private let checkpoint: (JobProgress) throws(StoreError) -> Void
    private var pace: Pace
    private let start = ContinuousClock.now
    private static let longestSleep = Duration.milliseconds(200)
    private var writer: ColdSegmentWriter?
    private var day: UInt32 = 0
    private var finished: [SegmentEntry] = []
    private var lines: UInt64 = 0
    private var finishedBytes: UInt64 = 0

    init(
        _ task: Rewrite, _ options: CompactionOptions, _ log: EventLog,
        checkpoint: @escaping (JobProgress) throws(StoreError) -> Void
    ) {
        self.task = task
        self.options = options
        self.log = log
        self.checkpoint = checkpoint
        access = SegmentAccess(log.layout, log.disk)
        encoder = ZstdEncoder(level: options.level)
        pace = Pace(bytesPerSecond: options.bytesPerSecond)
    }

    private var progress: JobProgress {
        JobProgress(
            events: lines, eventsInAll: task.inputs.reduce(0) { $0 + $1.lines },
            writtenBytes: finishedBytes + (writer?.length ?? 0))
    }

    /// Fails with `corrupt` where an input is damaged. After a failure nothing of it is left.
    func run() throws(StoreError) -> [SegmentEntry] {
        do throws(StoreError) {
            try rewrite()
            try seal()
            try carryOn()
            return finished
        } catch {
            discard()
            throw error
        }
    }

    private func rewrite() throws(StoreError) {
        var manifest = task.manifest
        manifest.horizon = task.floor
        let held = manifest.lists.holds.all.map { $0.from...$0.to }
        let snapshot = LogSnapshot(
            manifest: manifest, sealed: SealedSegments(task.inputs), active: nil, access: access,
            erasures: Erasures(manifest.lists.tombstones, log.keys, keeping: held))
        if log.keys?.hidesArrival == true { return try rewriteByHash(snapshot) }
        let scan = try Scan(snapshot, ScanRequest(order: .time))
        var cutter = ColdBlockCutter(blockBytes: blockBytes)
        while let chunk = try scan.next() {
            try requireSound(scan)
            try cutter.add(chunk.output, keeping: succession == nil ? nil : keeps) { (lines, day) throws(StoreError) in
                try write(lines, day)
            }
        }
        try cutter.finish { (lines, day) throws(StoreError) in try write(lines, day) }
        try requireSound(scan)
    }

    private func rewriteByHash(_ snapshot: LogSnapshot) throws(StoreError) {
        var cutter = ColdBlockCutter(blockBytes: blockBytes)
        let order = HashOrder(snapshot, keeping: keeps) { (scan) throws(StoreError) in try self.requireSound(scan) }
        try order.forEachStretch { (bytes, bucket, count) throws(StoreError) in
            // Which one each line has, nobody is to know.
            let sequences = Array(repeating: sequences.lowerBound, count: count)
            try cutter.add(bytes, bucket, sequences[...]) { (lines, day) throws(StoreError) in try write(lines, day) }
        }
        try cutter.finish { (lines, day) throws(StoreError) in try write(lines, day) }
    }

    /// What is left of a damaged segment is kept as it is, so that nothing else seems lost.
    private var succession: StreamKeys.Succession? { task.leavesOutDamage ? nil : log.keys?.succession }

    private func keeps(_ line: UnsafeRawBufferPointer, _ bucket: Bucket) -> Bool {
        guard let succession, !task.manifest.lists.holds.all.contains(where: { $0.from <= bucket && bucket <= $0.to })
        else { return true }
        return !succession.isSuperseded(line, bucket)
    }

    private var blockBytes: Int {
        log.keys == nil ? options.blockBytes : min(options.blockBytes, Bounds.keyedBlockBytes)
    }

    /// Every line of the inputs has one of them.
    private var sequences: ClosedRange<Sequence> {
        let filled = task.inputs.filter { $0.lines > 0 }
        let last = filled.map(\.nextSequence.value).max() ?? 2
        return (filled.map(\.firstSequence).min() ?? .first)...Sequence(last - 1)
    }

    private func encoded(_ cold: ColdLines) -> ColdBlock {
        guard let keys = log.keys else { return cold.encoded(encoder) }
        var hashes: Set<UInt64> = []
        cold.bytes.withUnsafeBytes { bytes in
            bytes.forEachLine { line in if let key = keys.key(line) { hashes.insert(key.indexed) } }
        }
        return keys.hidesArrival
            ? cold.encoded(encoder, within: sequences, keys: Array(hashes)) : cold.encoded(encoder, keys: Array(hashes))
    }

    private func requireSound(_ scan: Scan) throws(StoreError) {
        guard !task.leavesOutDamage, let fault = scan.summary.faults.first else { return }
        throw .corrupt(fault.path, "the segment is damaged; `daybook repair` keeps what is good", fault.fault)
    }

    private func write(_ cold: ColdLines, _ day: UInt32) throws(StoreError) {
        try checkpoint(progress)
        let block = encoded(cold)
        let bytes = UInt64(block.content.data.count + cold.runs.count * 30 + cold.sequences.count * 10)
        let keyCount = block.content.keys.count
        if let writer,
            self.day != day || writer.keyCount + keyCount > Bounds.segmentKeys
                || writer.length + bytes + Self.sealBytes(writer) > options.segmentBytes
        {
            try seal()
        }
        let writer = if let open = self.writer { open } else { try begin(day) }
        var meta = BlockMeta(
            segment: writer.head.segment, commit: .none, indexInCommit: 0, blocksInCommit: 1,
            nextSequence: block.firstSequence, keyed: [], sourced: [])
        meta.hold(block.content)
        try writer.append(meta, block.content.data, keys: block.content.keys)
        lines += UInt64(cold.sequences.count)
        try keepPace(cold.bytes.count)
    }

    /// Waits in slices, so that a purge which wants its turn, or an operator, does not.
    private func keepPace(_ bytes: Int) throws(StoreError) {
        pace.take(bytes)
        while case let wait = pace.wait(after: start.duration(to: .now)), wait > .zero {
            usleep(UInt32(min(wait, Self.longestSleep) / .microseconds(1)))
            try checkpoint(progress)
        }
    }

    /// About what the seal of a segment will take, rather more than less.
    private static func sealBytes(_ writer: ColdSegmentWriter) -> UInt64 {
        UInt64(writer.totals.blocks + 1) * 64 + UInt64(writer.keyCount) * 14 + 4_096
    }

    private func begin(_ day: UInt32) throws(StoreError) -> ColdSegmentWriter {
        let number = try log.performAndWait { (writer) throws(StoreError) in writer.takeNumber() }
        let manifest = task.manifest
        let head = SegmentHead(
            store: manifest.store, segment: number, salt: Salt(log.environment.random()), stream: manifest.stream,
            resolution: manifest.resolution, created: manifest.resolution.bucket(of: task.now).milliseconds,
            horizon: manifest.horizon, replaced: task.inputs.map(\.segment))
        let isFirst = finished.isEmpty
        let made = try ColdSegmentWriter(head, day: day, at: log.layout.place(ofCold: number, day: day), log.disk)
        writer = made
        self.day = day
        if isFirst { try putDeliveries(into: made) }
        return made
    }

    /// Blocks without lines carry the deliveries, at the front of the first segment.
    private func putDeliveries(into writer: ColdSegmentWriter) throws(StoreError) {
        var rest = task.keyed[...]
        while !rest.isEmpty {
            var meta = BlockMeta(
                segment: writer.head.segment, commit: .none, indexInCommit: 0, blocksInCommit: 1,
                nextSequence: task.inputs.map(\.nextSequence).max() ?? .first, keyed: [], sourced: [])
            meta.keyed = Array(rest.prefix(Bounds.blockDeliveries))
            try writer.append(meta, [])
            rest = rest.dropFirst(Bounds.blockDeliveries)
        }
    }

    private func seal() throws(StoreError) {
        guard let writer else { return }
        let entry = try writer.seal(
            sources: task.sources, sealed: task.manifest.resolution.bucket(of: task.now).milliseconds)
        try writer.publish()
        finished.append(entry)
        finishedBytes += entry.length
        self.writer = nil
    }

    /// Where no line is left, what is known of deliveries is carried on all the same.
    private func carryOn() throws(StoreError) {
        guard finished.isEmpty, !task.keyed.isEmpty || !task.sources.isEmpty else { return }
        _ = try begin(Bucket(milliseconds: task.now).segmentDay)
        try seal()
    }

    /// What cannot be removed now is removed by the next open: nobody lists it.
    private func discard() {
        var paths = finished.map { log.layout.path(of: $0) }
        if let writer { paths.append(log.layout.temporaryColdSegment(writer.head.segment)) }
        writer = nil
        for path in paths { _ = Result { () throws(StoreError) in try log.disk.removeFile(path) } }
    }
}
