import SegmentFormat

/// What a scan is to deliver.
public struct ScanRequest: Sendable {
    public enum Order: String, Sendable, CaseIterable {
        /// By bucket, then by sequence.
        case time
        /// By sequence.
        case arrival
    }

    /// Milliseconds, both ends in; compared with the stored, floored time.
    public var range: ClosedRange<UInt64>
    public var order: Order
    public var limit: Int?
    /// Go on behind a page.
    public var cursor: ScanCursor?
    /// Only events above this sequence; in order of arrival alone.
    public var after: Sequence?

    public init(
        range: ClosedRange<UInt64> = 0...UInt64.max, order: Order = .time, limit: Int? = nil,
        cursor: ScanCursor? = nil, after: Sequence? = nil
    ) {
        self.range = range
        self.order = order
        self.limit = limit
        self.cursor = cursor
        self.after = after
    }

    var buckets: ClosedRange<Bucket> {
        Bucket(milliseconds: range.lowerBound)...Bucket(milliseconds: range.upperBound)
    }
}

/// The place of a line in the order of a scan.
struct ScanPosition: Hashable, Comparable {
    /// 0 in order of arrival, where only the sequence counts.
    var bucket: Bucket
    var sequence: Sequence

    static func < (a: ScanPosition, b: ScanPosition) -> Bool {
        (a.bucket, a.sequence) < (b.bucket, b.sequence)
    }
}

/// Where a page ended, and what the first page pinned: a position in the order, never a file or an
/// offset, so that compaction cannot move it (SPEC §10).
public struct ScanCursor: Hashable, Sendable {
    var order: ScanRequest.Order
    /// The range and the store that the cursor is for.
    var query: UInt64
    var position: ScanPosition
    /// Events above it came after the first page.
    var pin: Sequence
    var horizon: Bucket
    var eraseCount: UInt64

    static func query(_ request: ScanRequest, store: StoreID) -> UInt64 {
        [request.range.lowerBound, request.range.upperBound].withUnsafeBytes { xxh3($0, seed: store.value) }
    }
}

extension ScanCursor {
    /// Lower-case hex digits; opaque.
    public var text: String {
        CursorText.text(of: [
            order == .time ? 0 : 1, query, position.bucket.milliseconds, position.sequence.value, pin.value,
            horizon.milliseconds, eraseCount,
        ])
    }

    /// `nil` for anything that `text` did not make.
    public init?(text: some StringProtocol) {
        guard let words = CursorText.words(of: text, count: 7), words[0] <= 1 else { return nil }
        order = words[0] == 0 ? .time : .arrival
        query = words[1]
        position = ScanPosition(bucket: Bucket(milliseconds: words[2]), sequence: Sequence(words[3]))
        pin = Sequence(words[4])
        horizon = Bucket(milliseconds: words[5])
        eraseCount = words[6]
    }
}
