import SegmentFormat
import Synchronization

// Sealed segments as readers use them: files and block indexes are opened on first use and kept in
// a bounded cache.

/// The sealed segments of a store, by number.
struct SealedSegments: Sendable {
    private(set) var entries: [SegmentEntry] = []
    /// Of the oldest and of the newest event; `nil` where there is none.
    private(set) var firstSequence: Sequence?
    private(set) var lastSequence: Sequence?
    /// No segment knows of a higher one.
    private(set) var nextSequence = Sequence.first

    init(_ entries: [SegmentEntry]) {
        self.entries.reserveCapacity(entries.count)
        for entry in entries { append(entry) }
    }

    mutating func append(_ entry: SegmentEntry) {
        entries.append(entry)
        nextSequence = max(nextSequence, entry.nextSequence)
        guard entry.lines > 0 else { return }
        firstSequence = min(firstSequence ?? entry.firstSequence, entry.firstSequence)
        let last = Sequence(entry.nextSequence.value - 1)
        lastSequence = max(lastSequence ?? last, last)
    }
}

/// A segment whose blocks can be read.
final class OpenSegment: Sendable {
    let number: SegmentNumber
    let salt: Salt
    let file: StoreFile
    let blocks: BlockList
    /// Its lines lie in order of time from the first to the last, whatever the sequences of its blocks; else
    /// its blocks lie in order of sequence.
    let isInOrderOfTime: Bool
    let keys: SegmentKeys
    /// What was wrong when it was opened.
    let faults: [FileFault]

    init(
        number: SegmentNumber, salt: Salt, file: StoreFile, blocks: BlockList, isInOrderOfTime: Bool = false,
        keys: SegmentKeys = .unknown, faults: [FileFault] = []
    ) {
        self.number = number
        self.salt = salt
        self.file = file
        self.blocks = blocks
        self.isInOrderOfTime = isInOrderOfTime
        self.keys = keys
        self.faults = faults
    }

    var memoryBytes: Int { blocks.memoryBytes + keys.memoryBytes }

    /// The blocks that may hold any of these sequences, in file order.
    func blocks(reaching sequences: ClosedRange<Sequence>) -> [Int] {
        var found: [Int] = []
        let first = isInOrderOfTime ? 0 : blocks.firstIndex(reaching: sequences.lowerBound)
        for index in first..<blocks.count {
            let entry = blocks[index]
            if entry.firstSequence > sequences.upperBound, !isInOrderOfTime { break }
            if entry.lines > 0, entry.overlaps(sequences) { found.append(index) }
        }
        return found
    }
}

extension BlockIndexEntry {
    func overlaps(_ sequences: ClosedRange<Sequence>) -> Bool {
        lastSequence >= sequences.lowerBound && firstSequence <= sequences.upperBound
    }
}

/// Opens segments, and remembers what was wrong with them.
final class SegmentAccess: Sendable {
    let layout: Layout
    let disk: any Disk
    let faults = FaultLog()
    let pool = ScanPool()
    private let held: [SegmentNumber: StoreFile]
    private let cache = Mutex(SegmentCache())

    /// With `holding`, files that were opened before: they can be read though they are removed.
    init(_ layout: Layout, _ disk: any Disk, holding held: [SegmentNumber: StoreFile] = [:]) {
        self.layout = layout
        self.disk = disk
        self.held = held
    }

    /// The file of a listed segment; `nil` where there is none.
    func file(of entry: SegmentEntry) throws(StoreError) -> StoreFile? {
        if let file = held[entry.segment] { return file }
        return try StoreFile.openIfThere(disk, layout.path(of: entry))
    }

    /// Closes a segment that left the store.
    func forget(_ segment: SegmentNumber) { cache.withLock { $0.remove(segment) } }

    /// The segment of a manifest entry; `nil`, and a fault, where its file is missing.
    func open(_ entry: SegmentEntry, store: StoreID) throws(StoreError) -> OpenSegment? {
        if let known = cache.withLock({ $0.touch(entry.segment) }) { return known }
        let path = layout.path(of: entry)
        guard let file = try file(of: entry) else {
            faults.report(FileFault(path: path, fault: FormatFault(.fileMissing, at: 0)))
            return nil
        }
        let loaded = try SegmentIndex.load(file, entry, length: try file.length(), store: store, stream: layout.stream)
        let found = loaded.faults.map { FileFault(path: path, fault: $0) }
        for fault in found { faults.report(fault) }
        let segment = OpenSegment(
            number: entry.segment, salt: entry.salt, file: file, blocks: loaded.blocks,
            isInOrderOfTime: entry.day != nil, keys: loaded.keys, faults: found)
        cache.withLock { $0.insert(segment) }
        return segment
    }
}

/// Least recently used out first, by bytes of index and by open files.
private struct SegmentCache {
    private var segments: [SegmentNumber: (segment: OpenSegment, used: UInt64)] = [:]
    private var clock: UInt64 = 0
    private var bytes = 0

    mutating func touch(_ number: SegmentNumber) -> OpenSegment? {
        guard let found = segments[number]?.segment else { return nil }
        clock += 1
        segments[number]?.used = clock
        return found
    }

    mutating func remove(_ number: SegmentNumber) {
        guard let known = segments.removeValue(forKey: number) else { return }
        bytes -= known.segment.memoryBytes
    }

    mutating func insert(_ segment: OpenSegment) {
        clock += 1
        guard segments.updateValue((segment, clock), forKey: segment.number) == nil else { return }
        bytes += segment.memoryBytes
        while segments.count > 1, bytes > Bounds.indexCacheBytes || segments.count > Bounds.openSegments {
            guard let oldest = segments.min(by: { $0.value.used < $1.value.used }) else { return }
            segments[oldest.key] = nil
            bytes -= oldest.value.segment.memoryBytes
        }
    }
}

/// The block index of a sealed segment: from its seal, or, where the seal is damaged, from its blocks.
enum SegmentIndex {
    static func load(
        _ file: StoreFile, _ entry: SegmentEntry, length: UInt64, store: StoreID, stream: StreamName
    ) throws(StoreError) -> (blocks: BlockList, keys: SegmentKeys, faults: [FormatFault]) {
        var faults: [FormatFault] = []
        let expecting = SegmentSurvey.Expectation(entry, store: store, stream: stream)
        if length != entry.length { faults.append(FormatFault(.fileLength, at: min(length, entry.length))) }
        if let fault = try headFault(file, expecting) { faults.append(fault) }
        if !entry.isDamaged {
            switch try readSeal(file, length: length, segment: entry.segment, salt: entry.salt) {
            case .success(let seal):
                let keys = SealedKeys(seal.keys, file, sealEnd: length)
                return (BlockList(seal.index), seal.keys.isEmpty ? .unknown : .sealed(keys), faults)
            case .failure(let fault): faults.append(fault)
            }
        }
        let survey = try SegmentSurvey.read(file, length: length, expecting: expecting)
        let analysis = CommitAnalysis(survey, knownLength: entry.isDamaged ? nil : entry.length)
        let known = Set(faults)
        faults += analysis.corruption.filter { !known.contains($0) }
        return (BlockList(analysis.served.map(\.entry)), .unknown, faults)
    }

    private static func headFault(
        _ file: StoreFile, _ expecting: SegmentSurvey.Expectation
    ) throws(StoreError) -> FormatFault? {
        let bytes = try file.read(FrameKind.head.bound + 8, at: 0)
        do throws(FormatFault) {
            try bytes.decoded { (bytes) throws(FormatFault) in
                let head = try SegmentHead.decode(bytes).head
                try head.check(expecting)
                guard head.salt == expecting.salt else { throw FormatFault(.headSegment, at: 0) }
            }
            return nil
        } catch {
            return error
        }
    }

    /// The seal that ends a file of `length` bytes.
    static func readSeal(
        _ file: StoreFile, length: UInt64, segment: SegmentNumber, salt: Salt
    ) throws(StoreError) -> Result<Seal, FormatFault> {
        let tailBytes = UInt64(Seal.tailByteCount)
        guard length > tailBytes else { return .failure(FormatFault(.sealEnd, at: 0)) }
        let tail = try file.read(Seal.tailByteCount, at: length - tailBytes)
        guard let frame = tail.withUnsafeBytes({ Seal.frameLength(tail: $0) }), UInt64(frame) <= length else {
            return .failure(FormatFault(.sealEnd, at: length - tailBytes))
        }
        let offset = length - UInt64(frame)
        let bytes = try file.read(frame, at: offset)
        do throws(FormatFault) {
            return .success(
                try bytes.decoded { (bytes) throws(FormatFault) in
                    try Seal.decode(bytes, at: offset, segment: segment, salt: salt)
                })
        } catch {
            return .failure(error)
        }
    }
}
