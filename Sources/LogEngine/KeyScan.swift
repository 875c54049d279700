import SegmentFormat

// The events of one key, the newest bucket first (SPEC EK2). Inside a bucket they go by a hash of their lines, which
// says nothing of when they came. Segments are opened from the newest on, and of each only the blocks are read
// that its key index names; blocks that end before the page does are not.

public struct KeyQuery: Sendable {
    public var key: Hash128
    /// Buckets before it are not wanted.
    public var since: Bucket
    /// Lines of the page, at least 1.
    public var limit: Int
    public var cursor: KeyCursor?

    public init(key: Hash128, since: Bucket = .earliest, limit: Int, cursor: KeyCursor? = nil) {
        self.key = key
        self.since = since
        self.limit = limit
        self.cursor = cursor
    }
}

/// The last line of a page, by what it is and not by where it lies.
public struct KeyCursor: Equatable, Sendable {
    fileprivate var query: UInt64
    fileprivate var bucket: Bucket
    fileprivate var hash: Hash128
    /// Lines that are the same in one bucket, and were delivered.
    fileprivate var copies: UInt64

    /// Lower-case hex digits; opaque.
    public var text: String { CursorText.text(of: [query, bucket.milliseconds, hash.high, hash.low, copies]) }

    /// `nil` for anything that `text` did not make.
    public init?(text: some StringProtocol) {
        guard let words = CursorText.words(of: text, count: 5) else { return nil }
        self.init(
            query: words[0], bucket: Bucket(milliseconds: words[1]), hash: Hash128(low: words[3], high: words[2]),
            copies: words[4])
    }

    fileprivate init(query: UInt64, bucket: Bucket, hash: Hash128, copies: UInt64) {
        self.query = query
        self.bucket = bucket
        self.hash = hash
        self.copies = copies
    }
}

public struct KeyPage: Sendable {
    /// Without their LFs.
    public var lines: [[UInt8]] = []
    /// `nil` where nothing follows.
    public var next: KeyCursor?
    public var faults: [FileFault] = []
    /// Nothing was lost to a fault.
    public var isComplete: Bool { faults.isEmpty }
}

extension LogSnapshot {
    /// A page of the events of a key. `isOfKey` says of a line whether it has the key: blocks that are read hold
    /// others too. Fails with `badCursor` where the cursor is not of this query.
    public func page(
        of query: KeyQuery, where isOfKey: (UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> KeyPage {
        try requireSight()
        guard query.limit > 0 else { throw .badArgument("the limit must be at least 1") }
        var scan = KeyScan(self, query)
        guard query.cursor.map({ $0.query == scan.queryHash }) ?? true else { throw .badCursor }
        try scan.run(isOfKey)
        return scan.page
    }
}

private struct KeyScan {
    private struct Line {
        let bucket: Bucket
        let hash: Hash128
        let bytes: [UInt8]

        /// The order of an answer.
        static func precedes(_ a: Line, _ b: Line) -> Bool {
            a.bucket == b.bucket ? (a.hash.high, a.hash.low) < (b.hash.high, b.hash.low) : a.bucket > b.bucket
        }

        func isBehind(_ cursor: KeyCursor) -> Bool {
            guard bucket == cursor.bucket else { return bucket < cursor.bucket }
            return (hash.high, hash.low) >= (cursor.hash.high, cursor.hash.low)
        }

        func isSame(as cursor: KeyCursor) -> Bool { bucket == cursor.bucket && hash == cursor.hash }
    }

    let queryHash: UInt64
    private let snapshot: LogSnapshot
    private let query: KeyQuery
    private let reader: BlockReader
    private let output = ScanOutput()
    /// The lines of the page, and one more.
    private let wanted: Int
    /// Of the lines at the cursor's place, which are all the same, so many are still to be left out.
    private var delivered: UInt64
    private var found: [Line] = []
    /// Lines of earlier buckets are not wanted any more.
    private var floor: Bucket

    init(_ snapshot: LogSnapshot, _ query: KeyQuery) {
        self.snapshot = snapshot
        self.query = query
        reader = BlockReader(snapshot.access, erasures: snapshot.erasures)
        wanted = query.limit + 1
        delivered = query.cursor?.copies ?? 0
        floor = max(query.since, snapshot.horizon)
        queryHash = [query.key.low, query.key.high].withUnsafeBytes { xxh3($0, seed: snapshot.store.value) }
    }

    private var newest: Bucket { query.cursor?.bucket ?? .latest }

    mutating func run(_ isOfKey: (UnsafeRawBufferPointer) -> Bool) throws(StoreError) {
        guard floor <= newest else { return }
        if let active = snapshot.active {
            for fault in active.segment.faults { reader.report(fault) }
            try take(active.segment, isOfKey)
        }
        for entry in snapshot.sealed.entries.sorted(by: { $0.lastBucket > $1.lastBucket }) {
            if entry.lastBucket < floor { break }
            guard entry.lines > 0, entry.firstBucket <= newest else { continue }
            if let segment = try reader.open(entry, store: snapshot.store) { try take(segment, isOfKey) }
        }
        found.sort(by: Line.precedes)
    }

    private mutating func take(
        _ segment: OpenSegment, _ isOfKey: (UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        let blocks = try segment.keys.blocks(of: query.key.indexed, among: segment.blocks.count)
        for entry in blocks.map({ segment.blocks[$0] }).sorted(by: { $0.lastBucket > $1.lastBucket }) {
            if entry.lastBucket < floor { break }
            guard entry.lines > 0, entry.firstBucket <= newest else { continue }
            output.clear()
            try reader.append(
                BlockReference(segment: segment, entry: entry), buckets: floor...newest, order: .time, to: output)
            takeOutput(isOfKey)
        }
    }

    private mutating func takeOutput(_ isOfKey: (UnsafeRawBufferPointer) -> Bool) {
        let bytes = output.bytes
        var start = 0
        for run in output.runs {
            let lines = UnsafeRawBufferPointer(rebasing: bytes[start..<start + run.bytes])
            lines.forEachLine { line in if isOfKey(line) { take(line, run.bucket) } }
            start += run.bytes
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ bucket: Bucket) {
        let line = Line(bucket: bucket, hash: snapshot.orderHash(bytes), bytes: Array(bytes))
        if let cursor = query.cursor {
            guard line.isBehind(cursor) else { return }
            if delivered > 0, line.isSame(as: cursor) {
                delivered -= 1
                return
            }
        }
        found.append(line)
        guard found.count >= 2 * wanted else { return }
        found.sort(by: Line.precedes)
        found.removeSubrange(wanted...)
        floor = max(floor, found[wanted - 1].bucket)
    }

    var page: KeyPage {
        var page = KeyPage(faults: reader.faults)
        page.lines = found.prefix(query.limit).map(\.bytes)
        if found.count > query.limit { page.next = cursor(behind: found.prefix(query.limit)) }
        return page
    }

    private func cursor(behind lines: ArraySlice<Line>) -> KeyCursor? {
        guard let last = lines.last else { return nil }
        var cursor = KeyCursor(query: queryHash, bucket: last.bucket, hash: last.hash, copies: 0)
        cursor.copies = UInt64(lines.reversed().prefix { $0.isSame(as: cursor) }.count)
        if let before = query.cursor, before.bucket == last.bucket, before.hash == last.hash {
            cursor.copies += before.copies
        }
        return cursor
    }
}

extension LogSnapshot {
    /// By which the lines of a bucket are ordered where nobody is to see in which order they came.
    func orderHash(_ line: UnsafeRawBufferPointer) -> Hash128 { xxh3Wide(line, seed: orderSeed) }
}
