import SegmentFormat

/// How far a verification has come.
public struct VerifyProgress: Sendable {
    public let segments: Int
    public let segmentsInAll: Int
    public let bytes: UInt64
}

/// What a verification found.
public struct VerifyReport: Sendable {
    public var segments = 0
    public var blocks = 0
    public var lines: UInt64 = 0
    /// Bytes of the segment files.
    public var bytes: UInt64 = 0
    public var faults: [FileFault] = []
    public var notes: [String] = []
    public var isSound: Bool { faults.isEmpty }
}

extension StoreReader {
    /// Reads every byte of a store and checks every clause. Writes nothing, takes no lock.
    public static func verify(
        _ directory: String, options: LogOptions, environment: Environment,
        progress: (VerifyProgress) -> Void
    ) throws(StoreError) -> VerifyReport {
        let (snapshot, notes) = try snapshot(of: directory, options: options, environment: environment)
        var verifier = Verifier(snapshot)
        verifier.report.notes = notes
        try verifier.checkManifests()
        for (index, entry) in snapshot.sealed.entries.enumerated() {
            try verifier.check(entry)
            progress(
                VerifyProgress(
                    segments: index + 1, segmentsInAll: snapshot.segments.count, bytes: verifier.report.bytes))
        }
        if let active = snapshot.active { try verifier.check(active) }
        for checkpoint in snapshot.checkpoints { try verifier.check(checkpoint) }
        return verifier.report
    }
}

extension EventLog {
    /// Checks every clause of sealed segments that are chosen at random, at least one, until they make up
    /// `bytes`. What it finds is known to later reads.
    public func verifySample(
        bytes: UInt64, control: JobControl = JobControl()
    ) async throws(StoreError) -> VerifyReport {
        try await JobThread.run(control) { () throws(StoreError) in
            let state = try self.jobState()
            let snapshot = self.snapshot()
            var verifier = Verifier(snapshot)
            var entries = snapshot.sealed.entries
            while !entries.isEmpty, verifier.report.segments == 0 || verifier.report.bytes < bytes {
                if control.isCancelled { throw .cancelled }
                let index = Int(self.environment.random() % UInt64(entries.count))
                entries.swapAt(index, entries.count - 1)
                try verifier.check(entries.removeLast())
            }
            for fault in verifier.report.faults { snapshot.access.faults.report(fault) }
            try self.record(.verify, state.now, hasSucceeded: verifier.report.isSound)
            return verifier.report
        }
    }
}

struct Verifier {
    private let snapshot: LogSnapshot
    private let layout: Layout
    private let disk: any Disk
    var report = VerifyReport()

    init(_ snapshot: LogSnapshot) {
        self.snapshot = snapshot
        layout = snapshot.access.layout
        disk = snapshot.access.disk
    }

    mutating func checkManifests() throws(StoreError) {
        report.faults += try ManifestReading.read(layout, disk).notes(layout).faults
    }

    mutating func check(_ entry: SegmentEntry) throws(StoreError) {
        let path = layout.path(of: entry)
        report.segments += 1
        guard let file = try snapshot.access.file(of: entry) else {
            return add([FormatFault(.fileMissing, at: 0)], path)
        }
        let length = try file.length()
        if length != entry.length { add([FormatFault(.fileLength, at: min(length, entry.length))], path) }
        let survey = try survey(
            file, .init(entry, store: snapshot.store, stream: snapshot.stream), length: length)
        add(CommitAnalysis(survey, knownLength: entry.isDamaged ? nil : entry.length).corruption, path)
        let hashes = try survey.hashes(of: file, salt: entry.salt)
        add(survey.sealFaults(hashes), path)
        if hashes.whole != entry.fileHash { add([FormatFault(.fileHash, at: 0)], path) }
    }

    mutating func check(_ active: ActiveView) throws(StoreError) {
        report.segments += 1
        let survey = try survey(
            active.segment.file,
            .init(segment: active.segment.number, store: snapshot.store, stream: snapshot.stream),
            length: active.length)
        add(CommitAnalysis(survey, knownLength: active.length).corruption, active.segment.file.path)
    }

    mutating func check(_ checkpoint: Checkpoint) throws(StoreError) {
        do throws(StoreError) { try snapshot.read(checkpoint) { _ in } } catch {
            guard let fault = error.fault else { throw error }
            add([fault], layout.checkpoint(checkpoint.generation))
        }
    }

    private mutating func add(_ faults: [FormatFault], _ path: String) {
        for fault in faults {
            let found = FileFault(path: path, fault: fault)
            if !report.faults.contains(found) { report.faults.append(found) }
        }
    }

    private mutating func survey(
        _ file: StoreFile, _ expecting: SegmentSurvey.Expectation, length: UInt64
    ) throws(StoreError) -> SegmentSurvey {
        let survey = try SegmentSurvey.read(file, length: length, expecting: expecting) { meta, data, offset in
            do throws(FormatFault) {
                try BlockData.verify(data, of: meta, at: offset)
                return nil
            } catch {
                return error
            }
        }
        report.blocks += survey.blocks.count
        report.lines += survey.blocks.reduce(0) { $0 + UInt64($1.entry.lines) }
        report.bytes += survey.length
        return survey
    }
}
