import SegmentFormat

/// Where a scan begins, and what it has to look into.
struct ScanStart {
    /// The cursor of a page that has delivered nothing yet: what all pages share.
    let pinned: ScanCursor
    /// Lines at or before it are not wanted.
    let position: ScanPosition?
    /// `nil` where no event can be in the range.
    let filter: BlockFilter?

    /// Fails with `badArgument`, with `badCursor` where the cursor is not of this query, and with
    /// `goneCursor` where purge or erasure took something that it had still to deliver.
    init(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) {
        try snapshot.requireSight()
        guard request.limit ?? 1 > 0 else { throw .badArgument("the limit must be at least 1") }
        guard request.after == nil || request.order == .arrival else {
            throw .badArgument("only a scan in order of arrival starts after a sequence")
        }
        let pinned = try Self.pin(snapshot, request)
        let position = Self.position(request)
        let lowest = max(request.buckets.lowerBound, snapshot.horizon)
        let from = request.order == .time ? max(lowest, position?.bucket ?? .earliest) : lowest
        let after = request.order == .arrival ? position?.sequence ?? Sequence(0) : Sequence(0)
        if from <= request.buckets.upperBound, after < pinned.pin {
            filter = BlockFilter(
                buckets: from...request.buckets.upperBound, sequences: after + 1...pinned.pin,
                start: request.order == .time ? position : nil)
        } else {
            filter = nil
        }
        self.pinned = pinned
        self.position = position
    }

    /// `nil` where no event can be in the range.
    func source(_ snapshot: LogSnapshot, _ reader: BlockReader) -> (any LineSource)? {
        guard let filter else { return nil }
        switch pinned.order {
        case .time: return TimeOrder(snapshot, filter, reader)
        case .arrival: return ArrivalOrder(snapshot, filter, reader)
        }
    }

    private static func position(_ request: ScanRequest) -> ScanPosition? {
        guard let after = request.after else { return request.cursor?.position }
        return ScanPosition(bucket: .earliest, sequence: max(after, request.cursor?.position.sequence ?? after))
    }

    private static func pin(_ snapshot: LogSnapshot, _ request: ScanRequest) throws(StoreError) -> ScanCursor {
        let query = ScanCursor.query(request, store: snapshot.store)
        guard let cursor = request.cursor else {
            return ScanCursor(
                order: request.order, query: query, position: ScanPosition(bucket: .earliest, sequence: Sequence(0)),
                pin: snapshot.lastSequence, horizon: snapshot.horizon, eraseCount: snapshot.eraseCount)
        }
        guard cursor.query == query, cursor.order == request.order, cursor.pin < snapshot.nextSequence,
            request.order == .arrival || cursor.position.sequence <= cursor.pin
        else { throw .badCursor }
        let wasPurged =
            snapshot.horizon > cursor.horizon
            && (request.order == .arrival || snapshot.horizon > cursor.position.bucket)
            && request.buckets.lowerBound < snapshot.horizon
        guard !wasPurged, snapshot.eraseCount == cursor.eraseCount else {
            throw gone(cursor, snapshot)
        }
        return cursor
    }

    /// What is left begins at the horizon, and in order of arrival behind the same event.
    private static func gone(_ cursor: ScanCursor, _ snapshot: LogSnapshot) -> StoreError {
        var next = cursor
        next.horizon = snapshot.horizon
        next.eraseCount = snapshot.eraseCount
        if cursor.order == .time, cursor.position.bucket < snapshot.horizon {
            next.position = ScanPosition(bucket: snapshot.horizon, sequence: Sequence(0))
        }
        var error = StoreError(
            .goneCursor, "",
            "events that this cursor had still to deliver were purged or erased; go on by the next one")
        error.nextCursor = next
        return error
    }
}
