import SegmentFormat

/// What a repair of damaged segments found and did (SPEC V10).
public struct MendReport: Sendable {
    public struct Loss: Sendable {
        public let segment: SegmentNumber
        /// What is wrong with it.
        public let faults: [FileFault]
        /// Events that are still there, in new segments.
        public let kept: UInt64
        /// Events that are not; `nil` where nothing says how many there were.
        public let lost: UInt64?
        /// Of all its events: sequences, the second one past the last, and buckets.
        public let sequences: Range<UInt64>
        public let firstBucket: Bucket?
        public let lastBucket: Bucket?
        /// Where the damaged file is now; `nil` where there is none.
        public let aside: String?
    }

    public var segments = 0
    public var losses: [Loss] = []
}

extension EventLog {
    /// Verifies every sealed segment, and writes what is good of the damaged ones into new segments; the
    /// damaged files are kept in `damaged/`. It never guesses: a block either verifies or is lost.
    public func mend(
        control: JobControl = JobControl(), progress: @escaping @Sendable (VerifyProgress) -> Void = { _ in }
    ) async throws(StoreError) -> MendReport {
        try await JobThread.run(control) { () throws(StoreError) in
            self.gate.enter(isUrgent: true)
            defer { self.gate.leave() }
            return try Mending(self, control, progress).run()
        }
    }
}

private final class Mending {
    private let log: EventLog
    private let control: JobControl
    private let progress: @Sendable (VerifyProgress) -> Void
    private var report = MendReport()

    init(_ log: EventLog, _ control: JobControl, _ progress: @escaping @Sendable (VerifyProgress) -> Void) {
        self.log = log
        self.control = control
        self.progress = progress
    }

    func run() throws(StoreError) -> MendReport {
        let state = try log.jobState()
        let entries = state.manifest.segments
        var bytes: UInt64 = 0
        for (index, entry) in entries.enumerated() {
            if control.isCancelled { throw .cancelled }
            var verifier = Verifier(
                LogSnapshot(
                    manifest: state.manifest, sealed: SealedSegments([entry]), active: nil,
                    access: SegmentAccess(log.layout, log.disk)))
            try verifier.check(entry)
            report.segments += 1
            bytes += entry.length
            progress(VerifyProgress(segments: index + 1, segmentsInAll: entries.count, bytes: bytes))
            if !verifier.report.isSound || entry.isDamaged { try mend(entry, verifier.report.faults, state) }
        }
        return report
    }

    private func mend(
        _ entry: SegmentEntry, _ faults: [FileFault], _ state: JobState
    ) throws(StoreError) {
        let path = log.layout.path(of: entry)
        let length = try log.disk.fileLength(path)
        var outputs: [SegmentEntry] = []
        if let length {
            try keepAside(entry, length)
            outputs = try log.rewrite([entry], state, CompactionOptions(), leavingOutDamage: true) {
                (_) throws(StoreError) in if self.control.isCancelled { throw .cancelled }
            }
        } else if state.mustCarryDeliveries(of: [entry]) {
            outputs = try log.carry([], state, CompactionOptions())
        }
        try log.exchange([entry], for: outputs)
        let kept = outputs.reduce(0) { $0 + $1.lines }
        let isKnownWhole = !entry.isDamaged && entry.firstBucket >= state.manifest.horizon
        report.losses.append(
            MendReport.Loss(
                segment: entry.segment, faults: faults, kept: kept,
                lost: isKnownWhole ? entry.lines - min(kept, entry.lines) : nil,
                sequences: entry.firstSequence.value..<entry.nextSequence.value,
                firstBucket: entry.lines > 0 ? entry.firstBucket : nil,
                lastBucket: entry.lines > 0 ? entry.lastBucket : nil,
                aside: length != nil ? log.layout.damagedSegment(entry) : nil))
    }

    /// A copy, as the file itself must stay in its place while a manifest lists it.
    private func keepAside(_ entry: SegmentEntry, _ length: UInt64) throws(StoreError) {
        try log.requireRoom(length, leaving: log.reserveBytes)
        try log.disk.makeDirectories([log.layout.damaged])
        let file = try StoreFile(log.disk, log.layout.path(of: entry), .read)
        _ = try file.copy(
            length, to: log.layout.damagedSegment(entry), through: log.layout.temporaryColdSegment(entry.segment),
            log.disk)
    }
}
