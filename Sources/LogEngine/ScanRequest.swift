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
    private var words: [UInt64] {
        [
            order == .time ? 0 : 1, query, position.bucket.milliseconds, position.sequence.value, pin.value,
            horizon.milliseconds, eraseCount,
        ]
    }

    /// Lower-case hex digits; opaque.
    public var text: String {
        let sum = words.withUnsafeBytes { xxh3($0) }
        return (words + [sum]).map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// `nil` for anything that `text` did not make.
    public init?(text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 8 * 16 else { return nil }
        var words: [UInt64] = []
        for start in stride(from: 0, to: digits.count, by: 16) {
            let part = String(decoding: digits[start..<start + 16], as: UTF8.self)
            guard let word = UInt64(part, radix: 16) else { return nil }
            words.append(word)
        }
        let sum = words.removeLast()
        guard words.withUnsafeBytes({ xxh3($0) }) == sum, words[0] <= 1 else { return nil }
        order = words[0] == 0 ? .time : .arrival
        query = words[1]
        position = ScanPosition(bucket: Bucket(milliseconds: words[2]), sequence: Sequence(words[3]))
        pin = Sequence(words[4])
        horizon = Bucket(milliseconds: words[5])
        eraseCount = words[6]
        guard self.text == String(text) else { return nil }
    }
}
