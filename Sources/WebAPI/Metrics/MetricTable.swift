// Every metric that is served. Labels have closed sets of values: never a path, a user agent or an address.

/// The metrics of a server, in the order in which they are told (SPEC O3).
enum MetricTable {
    static let all: [MetricDescription] = server + requests + events + log + store

    private static let server: [MetricDescription] = [
        .init("daybook_build_info", .gauge, ["version", "format"], "1; its labels say what is running."),
        .init("daybook_connections", .gauge, "Connections that are open."),
        .init("daybook_requests_in_flight", .gauge, "Requests whose answer is not out."),
        .init("daybook_streams", .gauge, "Answers that are being streamed; followers among them."),
    ]

    private static let requests: [MetricDescription] = [
        .init(
            "daybook_requests_total", .counter, ["method", "route", "status"], "Requests that were answered."),
        .init(
            "daybook_request_duration_seconds", .histogram(requestSeconds), ["method", "route"],
            "From a request's head to the end of its answer; of an answer that follows, to its head."),
        .init("daybook_request_body_bytes_total", .counter, "Bytes of bodies of events that came in."),
        .init("daybook_response_body_bytes_total", .counter, "Bytes of bodies of answers that went out."),
        .init(
            "daybook_dropped_total", .counter, ["kind", "reason"],
            "Requests that were refused, and events that were refused or discarded."),
        .init(
            "daybook_untrusted_identities_total", .counter,
            "Requests that named a user without being a trusted forwarder's."),
        .init(
            "daybook_failed_audit_flushes_total", .counter, "Times that records of accesses could not be written."),
        .init("daybook_lost_audit_records_total", .counter, "Records of accesses that were given up."),
    ]

    private static let events: [MetricDescription] = [
        .init("daybook_events_in_total", .counter, "Events that were made durable."),
        .init("daybook_events_out_total", .counter, "Events in answers that came to their end."),
        .init("daybook_repeated_batches_total", .counter, "Batches that had been stored before."),
    ]

    private static let log: [MetricDescription] = [
        .init("daybook_commit_batches", .histogram(batches), ["stream"], "Batches of a commit."),
        .init("daybook_commit_events", .histogram(eventCounts), ["stream"], "Events of a commit."),
        .init("daybook_commit_bytes", .histogram(bytes), ["stream"], "Bytes that a commit wrote."),
        .init("daybook_sync_duration_seconds", .histogram(syncSeconds), ["stream"], "The fdatasync of a commit."),
        .init("daybook_queued_batches", .gauge, ["stream", "queue"], "Batches that wait, for admission or a commit."),
        .init("daybook_in_flight_bytes", .gauge, ["stream"], "Raw bytes taken in that are not durable yet."),
    ]

    private static let store: [MetricDescription] = [
        .init("daybook_segments", .gauge, ["stream", "kind"], "Segments."),
        .init("daybook_stored_bytes", .gauge, ["stream", "kind"], "Bytes of segments."),
        .init("daybook_stored_events", .gauge, ["stream", "kind"], "Events in segments."),
        .init(
            "daybook_oldest_bucket_seconds", .gauge, ["stream"], "The oldest bucket that can be read; 0: none."),
        .init("daybook_newest_bucket_seconds", .gauge, ["stream"], "The newest bucket; 0: none."),
        .init("daybook_horizon_seconds", .gauge, ["stream"], "Events before it are purged."),
        .init(
            "daybook_free_bytes", .gauge, ["stream"],
            "What the file system has free; NaN where it cannot be asked."),
        .init(
            "daybook_job_last_success_seconds", .gauge, ["stream", "job"],
            "When a job last came to its end, floored; 0: never."),
        .init(
            "daybook_corrupt_blocks", .gauge, ["stream"],
            "Faults that were found in files since the store was opened."),
    ]

    private static let requestSeconds = [
        0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]
    private static let syncSeconds = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30,
    ]
    private static let batches: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096, 16_384]
    private static let eventCounts: [Double] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 500_000,
    ]
    private static let bytes: [Double] = [
        1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
    ]
}

extension MetricDescription {
    init(_ name: String, _ kind: Kind, _ help: String) { self.init(name, kind, [], help) }
}
