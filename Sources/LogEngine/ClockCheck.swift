import SegmentFormat

extension EventLog {
    /// Fails with `clock` where a purge would.
    public func checkClock(step: UInt64 = PurgeOptions().maxStep) async throws(StoreError) {
        let state = try await perform { (writer) throws(StoreError) in writer.jobState }
        try state.checkClock(step: step, layout.root)
    }
}

extension JobState {
    func checkClock(step: UInt64, _ path: String) throws(StoreError) {
        let seen = latestTimeSeen(step: step)
        guard now > seen, now - seen > step else { return }
        throw StoreError(
            .clock, path,
            "the clock is \((now - seen) / Bucket.dayMilliseconds) days ahead of the latest time that this store "
                + "has seen; if it is right, purge with --allow-step")
    }
}
