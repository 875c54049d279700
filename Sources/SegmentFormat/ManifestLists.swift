/// Events of a key up to a sequence are erased.
public struct Tombstone: Hashable, Sendable {
    public var key: Hash128
    public var through: Sequence

    public init(key: Hash128, through: Sequence) {
        self.key = key
        self.through = through
    }
}

/// When data leaves; `nil` is *none*.
public struct RetentionPolicy: Hashable, Sendable {
    public var maxAgeMilliseconds: UInt64?
    /// Allocated bytes of the stream's segments.
    public var maxBytes: UInt64?
    /// Free bytes of the file system.
    public var minFreeBytes: UInt64?

    /// Nothing leaves.
    public static let forever = RetentionPolicy()

    public init(maxAgeMilliseconds: UInt64? = nil, maxBytes: UInt64? = nil, minFreeBytes: UInt64? = nil) {
        self.maxAgeMilliseconds = maxAgeMilliseconds
        self.maxBytes = maxBytes
        self.minFreeBytes = minFreeBytes
    }

    public var isForever: Bool { self == .forever }
}

/// When a job last ran, and last ran to its end; 0 is never.
public struct JobRecord: Hashable, Sendable {
    public enum Job: UInt32, CaseIterable, Sendable {
        case compact = 1
        case purge = 2
        case verify = 3
        case maintain = 4
    }
    public var job: Job
    public var lastRun: UInt64
    public var lastSuccess: UInt64

    public init(job: Job, lastRun: UInt64, lastSuccess: UInt64) {
        self.job = job
        self.lastRun = lastRun
        self.lastSuccess = lastSuccess
    }
}

/// A checkpoint of the view that is kept beside a log (SPEC §27): a file in `views/`.
public struct Checkpoint: Hashable, Sendable {
    static let byteCount = 56
    /// How many are kept.
    public static let generations = 2

    /// The number in its name: 1 for a stream's first, never reused.
    public var generation: SegmentNumber
    /// Every event up to it is in the view, and none above.
    public var through: Sequence
    public var salt: Salt
    public var length: UInt64
    public var fileHash: Hash128
    /// The stream's erase count when the view was taken: what was erased before is not in it.
    public var eraseCount: UInt64

    public init(
        generation: SegmentNumber, through: Sequence, salt: Salt, length: UInt64, fileHash: Hash128, eraseCount: UInt64
    ) {
        self.generation = generation
        self.through = through
        self.salt = salt
        self.length = length
        self.fileHash = fileHash
        self.eraseCount = eraseCount
    }

    func put(into writer: inout ByteWriter) {
        writer.put(generation.value)
        writer.put(through.value)
        writer.put(salt.value)
        writer.put(length)
        writer.put(fileHash)
        writer.put(eraseCount)
    }

    init(from reader: inout ByteReader) throws(FormatFault) {
        let start = reader.fault
        generation = SegmentNumber(try reader.u64())
        through = Sequence(try reader.u64())
        salt = Salt(try reader.u64())
        length = try reader.u64()
        fileHash = try reader.hash128()
        eraseCount = try reader.u64()
        guard (1..<FormatBounds.counters).contains(generation.value), through.value < FormatBounds.counters,
            length <= FormatBounds.fileBytes
        else { throw start }
    }

    func precedes(_ other: Checkpoint) -> Bool { generation < other.generation && through <= other.through }
}

/// The parts of a manifest that retention and jobs keep.
public struct ManifestLists: Equatable, Sendable {
    public var tombstones: [Tombstone] = []
    public var holds = HoldList()
    public var policy: RetentionPolicy?
    public var jobs: [JobRecord] = []
    /// The oldest first, at most two.
    public var checkpoints: [Checkpoint] = []

    public init() {}

    func put(into frame: inout FrameWriter) {
        frame.list(.tombstones, tombstones) {
            $1.put($0.key)
            $1.put($0.through.value)
        }
        holds.put(into: &frame)
        if let policy {
            frame.section(.policies) {
                $0.put(policy.maxAgeMilliseconds ?? .max)
                $0.put(policy.maxBytes ?? .max)
                $0.put(policy.minFreeBytes ?? .max)
            }
        }
        frame.list(.jobs, jobs) {
            $1.put($0.job.rawValue)
            $1.put(UInt32(0))
            $1.put($0.lastRun)
            $1.put($0.lastSuccess)
        }
    }

    init(_ sections: Sections) throws(FormatFault) {
        tombstones = try sections.list(.tombstones, bytesEach: 24, clause: .manifestLists) {
            (reader) throws(FormatFault) in
            let key = try reader.hash128()
            return Tombstone(key: key, through: Sequence(try reader.u64()))
        }
        holds = try HoldList(sections)
        policy = try Self.takePolicy(sections)
        jobs = try sections.list(.jobs, bytesEach: 24, clause: .manifestLists) { (reader) throws(FormatFault) in
            let start = reader.fault
            guard let job = JobRecord.Job(rawValue: try reader.u32()) else { throw start }
            try reader.zeros(4)
            let lastRun = try reader.u64()
            return JobRecord(job: job, lastRun: lastRun, lastSuccess: try reader.u64())
        }
        checkpoints = try sections.list(
            .checkpoints, bytesEach: Checkpoint.byteCount, atMost: Checkpoint.generations, clause: .manifestLists
        ) { (reader) throws(FormatFault) in try Checkpoint(from: &reader) }
        guard zip(checkpoints, checkpoints.dropFirst()).allSatisfy({ $0.precedes($1) }) else {
            throw FormatFault(.manifestLists, at: sections.offset)
        }
    }

    private static func takePolicy(_ sections: Sections) throws(FormatFault) -> RetentionPolicy? {
        guard var reader = sections.optional(.policies, clause: .manifestLists) else { return nil }
        let maxAge = try reader.u64()
        let maxBytes = try reader.u64()
        let minFree = try reader.u64()
        try reader.finished()
        return RetentionPolicy(
            maxAgeMilliseconds: maxAge == .max ? nil : maxAge, maxBytes: maxBytes == .max ? nil : maxBytes,
            minFreeBytes: minFree == .max ? nil : minFree)
    }
}
