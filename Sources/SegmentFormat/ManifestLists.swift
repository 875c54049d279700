/// Events of a key up to a sequence are erased.
public struct Tombstone: Hashable, Sendable {
    public var key: Hash128
    public var through: Sequence
}

/// A range that retention leaves alone.
public struct Hold: Hashable, Sendable {
    public var number: UInt64
    public var from: Bucket
    public var to: Bucket
    public var created: UInt64
    public var reason: String

    public init(number: UInt64, from: Bucket, to: Bucket, created: UInt64, reason: String) {
        self.number = number
        self.from = from
        self.to = to
        self.created = created
        self.reason = reason
    }
}

/// When data leaves; `nil` is *none*.
public struct RetentionPolicy: Hashable, Sendable {
    public var maxAgeMilliseconds: UInt64?
    public var maxBytes: UInt64?
    public var minFreeBytes: UInt64?

    public init(maxAgeMilliseconds: UInt64? = nil, maxBytes: UInt64? = nil, minFreeBytes: UInt64? = nil) {
        self.maxAgeMilliseconds = maxAgeMilliseconds
        self.maxBytes = maxBytes
        self.minFreeBytes = minFreeBytes
    }
}

/// When a job last ran, and last ran to its end; 0 is never.
public struct JobRecord: Hashable, Sendable {
    public enum Job: UInt32, Sendable {
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

/// The parts of a manifest that retention and jobs keep.
public struct ManifestLists: Equatable, Sendable {
    static let reasonBytes = 1024

    public var tombstones: [Tombstone] = []
    public var holds: [Hold] = []
    public var policy: RetentionPolicy?
    public var jobs: [JobRecord] = []

    public init() {}

    func put(into frame: inout FrameWriter) {
        frame.list(.tombstones, tombstones) {
            $1.put($0.key)
            $1.put($0.through.value)
        }
        frame.list(.holds, holds) { hold, writer in
            writer.put(hold.number)
            writer.put(hold.from.milliseconds)
            writer.put(hold.to.milliseconds)
            writer.put(hold.created)
            writer.put(UInt32(hold.reason.utf8.count))
            writer.put(hold.reason.utf8)
        }
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
        holds = try Self.takeHolds(sections)
        policy = try Self.takePolicy(sections)
        jobs = try sections.list(.jobs, bytesEach: 24, clause: .manifestLists) { (reader) throws(FormatFault) in
            let start = reader.fault
            guard let job = JobRecord.Job(rawValue: try reader.u32()) else { throw start }
            try reader.zeros(4)
            let lastRun = try reader.u64()
            return JobRecord(job: job, lastRun: lastRun, lastSuccess: try reader.u64())
        }
    }

    private static func takeHolds(_ sections: Sections) throws(FormatFault) -> [Hold] {
        guard var reader = sections.optional(.holds, clause: .manifestLists) else { return [] }
        guard reader.remaining > 0 else { throw reader.fault }
        var holds: [Hold] = []
        while reader.remaining > 0 {
            let number = try reader.u64()
            let from = Bucket(milliseconds: try reader.u64())
            let to = Bucket(milliseconds: try reader.u64())
            let created = try reader.u64()
            let length = reader.fault
            let count = Int(try reader.u32())
            guard count <= reasonBytes, let reason = String(validating: try reader.raw(count), as: UTF8.self) else {
                throw length
            }
            holds.append(Hold(number: number, from: from, to: to, created: created, reason: reason))
        }
        return holds
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
