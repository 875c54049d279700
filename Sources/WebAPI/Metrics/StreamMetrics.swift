import CoreMetrics
import LogEngine
import SegmentFormat

/// A log in numbers: its commits as they happen, the rest when it is asked for.
final class StreamMetrics: Sendable {
    private let log: EventLog
    private let factory: any MetricsFactory
    private let stream: String

    init(_ log: EventLog, _ factory: any MetricsFactory) {
        self.log = log
        self.factory = factory
        stream = log.snapshot().stream.description
        observeCommits()
    }

    private func observeCommits() {
        let labels = [("stream", stream)]
        let batches = Recorder(label: "daybook_commit_batches", dimensions: labels, factory: factory)
        let events = Recorder(label: "daybook_commit_events", dimensions: labels, factory: factory)
        let bytes = Recorder(label: "daybook_commit_bytes", dimensions: labels, factory: factory)
        let syncs = Timer(label: "daybook_sync_duration_seconds", dimensions: labels, factory: factory)
        log.observeCommits { report in
            batches.record(report.batches)
            events.record(report.events)
            bytes.record(report.bytes)
            syncs.recordNanoseconds(report.syncNanoseconds)
        }
    }

    /// Looks at the log as it is now. Blocks on the file system.
    func update() {
        let health = log.health
        set("daybook_queued_batches", ("queue", "admission"), health.appendsBeforeAdmission)
        set("daybook_queued_batches", ("queue", "commit"), health.appendsBeforeCommit)
        set("daybook_in_flight_bytes", health.bytesInFlight)
        set("daybook_free_bytes", health.freeBytes.map { Double($0) } ?? .nan)
        update(log.snapshot())
    }

    private func update(_ snapshot: LogSnapshot) {
        let segments = snapshot.segments
        for (kind, isCold) in [("hot", false), ("cold", true)] {
            let those = segments.filter { $0.isCold == isCold }
            set("daybook_segments", ("kind", kind), those.count)
            set("daybook_stored_bytes", ("kind", kind), those.reduce(0) { $0 + $1.storedBytes })
            set("daybook_stored_events", ("kind", kind), those.reduce(0) { $0 + $1.lines })
        }
        let readable = segments.filter { segment in segment.lastBucket.map { $0 >= snapshot.horizon } ?? false }
        let oldest = readable.compactMap(\.firstBucket).min().map { max($0, snapshot.horizon) }
        set("daybook_oldest_bucket_seconds", oldest.map(Self.seconds) ?? 0)
        set("daybook_newest_bucket_seconds", readable.compactMap(\.lastBucket).max().map(Self.seconds) ?? 0)
        set("daybook_horizon_seconds", Self.seconds(snapshot.horizon))
        for job in JobRecord.Job.allCases {
            let record = snapshot.jobs.first { $0.job == job }
            set("daybook_job_last_success_seconds", ("job", "\(job)"), Double(record?.lastSuccess ?? 0) / 1_000)
        }
        set("daybook_corrupt_blocks", snapshot.faults.count)
    }

    private static func seconds(_ bucket: Bucket) -> Double { Double(bucket.milliseconds) / 1_000 }

    private func set(_ name: String, _ value: some BinaryInteger) { set(name, Double(value)) }

    private func set(_ name: String, _ label: (String, String), _ value: some BinaryInteger) {
        set(name, label, Double(value))
    }

    private func set(_ name: String, _ value: Double) { set(name, [], value) }

    private func set(_ name: String, _ label: (String, String), _ value: Double) { set(name, [label], value) }

    private func set(_ name: String, _ labels: [(String, String)], _ value: Double) {
        Meter(label: name, dimensions: [("stream", stream)] + labels, factory: factory).set(value)
    }
}
