import SegmentFormat

// Lines of one bucket in an order that says nothing of when they came (SPEC M7): that of a hash of each. A bucket that
// is too large for the memory at hand is gone through in several parts, each of which has its share of the hashes.

/// Lines of a bucket by hash. Those that are the same take the room of one.
struct HashedLines {
    private struct Entry {
        let start: Int
        let byteCount: Int
        var copies: Int
    }

    /// What a line takes beside its bytes, about.
    private static let overhead = 96

    private var bytes: [UInt8] = []
    private var entries: [Hash128: Entry] = [:]
    private let share: ClosedRange<UInt64>

    /// Takes the lines whose hash has its high half in `share`.
    init(share: ClosedRange<UInt64> = 0...UInt64.max) { self.share = share }

    /// Bytes of memory.
    var cost: Int { bytes.count + entries.count * Self.overhead }

    /// `line` with its LF.
    mutating func append(_ line: UnsafeRawBufferPointer, _ hash: Hash128) {
        guard share.contains(hash.high) else { return }
        if let index = entries.index(forKey: hash) {
            entries.values[index].copies += 1
        } else {
            entries[hash] = Entry(start: bytes.count, byteCount: line.count, copies: 1)
            bytes.append(contentsOf: line)
        }
    }

    /// Calls `body` with stretches of lines, in order, and how many there are in each.
    func forEachStretch<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, Int) throws(Failure) -> Void
    ) throws(Failure) {
        var (stretch, lines) = ([UInt8](), 0)
        func hand() throws(Failure) {
            guard lines > 0 else { return }
            let fault: Failure? = stretch.withUnsafeBytes { stretch in
                do throws(Failure) {
                    try body(stretch, lines)
                    return nil
                } catch { return error }
            }
            if let fault { throw fault }
            stretch.removeAll(keepingCapacity: true)
            lines = 0
        }
        for hash in entries.keys.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }) {
            guard let entry = entries[hash] else { continue }
            for _ in 0..<entry.copies {
                stretch += bytes[entry.start..<entry.start + entry.byteCount]
                lines += 1
                if stretch.count >= Bounds.scanChunk { try hand() }
            }
        }
        try hand()
    }
}

/// Hands out the lines of a snapshot that are kept, bucket by bucket, those of each by hash.
struct HashOrder {
    private let snapshot: LogSnapshot
    private let budget: Int
    private let keeps: (UnsafeRawBufferPointer, Bucket) -> Bool
    /// Called now and then with the scan that is at work; throws to give up.
    private let check: (Scan) throws(StoreError) -> Void

    init(
        _ snapshot: LogSnapshot, budget: Int = Bounds.scanBudget,
        keeping keeps: @escaping (UnsafeRawBufferPointer, Bucket) -> Bool = { _, _ in true },
        check: @escaping (Scan) throws(StoreError) -> Void
    ) {
        self.snapshot = snapshot
        self.budget = budget
        self.keeps = keeps
        self.check = check
    }

    func forEachStretch(
        _ body: (UnsafeRawBufferPointer, Bucket, Int) throws(StoreError) -> Void
    ) throws(StoreError) {
        let scan = try Scan(snapshot, ScanRequest(order: .time))
        var (lines, bucket) = (HashedLines(), Bucket.earliest)
        /// The bucket was too large, and is told already.
        var isTold = false
        while let chunk = try scan.next() {
            try check(scan)
            var start = 0
            for run in chunk.output.runs {
                let bytes = UnsafeRawBufferPointer(rebasing: chunk.bytes[start..<start + run.bytes])
                start += run.bytes
                if run.bucket != bucket {
                    try hand(lines, bucket, body)
                    (lines, bucket, isTold) = (HashedLines(), run.bucket, false)
                }
                if isTold { continue }
                add(bytes, bucket, to: &lines)
                guard lines.cost > budget else { continue }
                lines = HashedLines()
                isTold = true
                try tellInParts(bucket, body)
            }
        }
        try check(scan)
        try hand(lines, bucket, body)
    }

    private func add(_ bytes: UnsafeRawBufferPointer, _ bucket: Bucket, to lines: inout HashedLines) {
        var start = 0
        while let end = bytes.firstLineFeed(from: start) {
            let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if keeps(text, bucket) {
                lines.append(UnsafeRawBufferPointer(rebasing: bytes[start...end]), snapshot.orderHash(text))
            }
            start = end + 1
        }
    }

    private func hand(
        _ lines: HashedLines, _ bucket: Bucket,
        _ body: (UnsafeRawBufferPointer, Bucket, Int) throws(StoreError) -> Void
    ) throws(StoreError) {
        try lines.forEachStretch { (bytes, count) throws(StoreError) in try body(bytes, bucket, count) }
    }

    /// Twice as many parts where one is too large; a bucket is read once for each.
    private func tellInParts(
        _ bucket: Bucket, _ body: (UnsafeRawBufferPointer, Bucket, Int) throws(StoreError) -> Void
    ) throws(StoreError) {
        var (shift, part) = (UInt64(62), UInt64(0))
        while part < 1 << (64 - shift) {
            let first = part << shift
            guard let lines = try gather(bucket, share: first...first + ((1 << shift) - 1)) else {
                (shift, part) = (shift - 1, part * 2)
                continue
            }
            try hand(lines, bucket, body)
            part += 1
        }
    }

    /// `nil` where they are too many.
    private func gather(_ bucket: Bucket, share: ClosedRange<UInt64>) throws(StoreError) -> HashedLines? {
        let range = bucket.milliseconds...bucket.milliseconds
        let scan = try Scan(snapshot, ScanRequest(range: range, order: .time))
        var lines = HashedLines(share: share)
        while let chunk = try scan.next() {
            try check(scan)
            add(chunk.bytes, bucket, to: &lines)
            if lines.cost > budget { return nil }
        }
        try check(scan)
        return lines
    }
}
