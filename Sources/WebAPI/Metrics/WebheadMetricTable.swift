extension MetricTable {
    /// What a webhead tells besides (SPEC Z16).
    static let webhead: [MetricDescription] = [
        .init(
            "daybook_changed_blobs_total", .counter, ["change"],
            "Blobs of which something was left out or replaced, by what it was."),
        .init("daybook_spool_waiting_events", .gauge, "Events that no storage server has answered for."),
        .init("daybook_spool_waiting_bytes", .gauge, "About how many bytes their lines are."),
        .init("daybook_spool_waiting_seconds", .gauge, "How long the oldest of them has waited; 0: none waits."),
        .init("daybook_spool_full", .gauge, "1 while the spool takes no more, else 0."),
        .init(
            "daybook_forwarded_events_total", .counter, ["outcome"],
            "Events by what became of them: delivered, discarded, reassigned, disputed, missing."),
        .init("daybook_storage_up", .gauge, ["server"], "0 from a failure of a storage server to its next success."),
        .init(
            "daybook_storage_unknown_events", .gauge, ["server"],
            "Events that a storage server may have, its answer being lost."),
    ]
}
