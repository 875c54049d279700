import SegmentFormat
import TestSupport

@testable import LogEngine

/// A log whose events have keys, and the lines that it must have.
final class KeyedLog {
    struct Event: Hashable {
        let bucket: Bucket
        let line: String
        let name: String
    }

    static let names = ["ann", "bob", "cid", "dora", "eve"]
    private(set) var disk = VirtualDisk()
    let environment: TestEnvironment
    private(set) var log: EventLog
    private(set) var events: [Event] = []
    private let options: LogOptions
    private var nextNumber = 1

    static func key(_ name: String) -> Hash128 { Array(name.utf8).withUnsafeBytes { xxh3Wide($0, seed: 7) } }

    /// The text between the first two quotes.
    static func name(_ line: UnsafeRawBufferPointer) -> String {
        String(decoding: line.drop { $0 != 0x22 }.dropFirst().prefix { $0 != 0x22 }, as: UTF8.self)
    }

    static func keys(hidesArrival: Bool) -> StreamKeys {
        StreamKeys(hidesArrival: hidesArrival) { key(name($0)) }
    }

    convenience init(hidesArrival: Bool, seed: UInt64 = 1) throws(StoreError) {
        try self.init(keys: Self.keys(hidesArrival: hidesArrival), seed: seed)
    }

    init(keys: StreamKeys, seed: UInt64 = 1) throws(StoreError) {
        environment = TestEnvironment(seed: seed)
        var options = LogOptions()
        options.keys = keys
        self.options = options
        log = try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    /// The bucket of so many days and buckets before now.
    func bucket(daysAgo days: UInt64, _ index: UInt64 = 0) -> Bucket {
        Resolution.tenMinutes.bucket(of: environment.clock.now - days * 86_400_000 + index * 600_000)
    }

    /// `copy`: lines of the same name and copy are the same; `nil`: each is another.
    func append(_ places: [(name: String, bucket: Bucket)], copy: Int? = nil) async throws(StoreError) {
        let batch = LineBatch()
        for (name, bucket) in places {
            let line = #"{"\#(name)":\#(copy ?? nextNumber)}"#
            nextNumber += 1
            Array(line.utf8).withUnsafeBytes { batch.append($0, bucket: bucket, key: Self.key(name).indexed) }
            events.append(Event(bucket: bucket, line: line, name: name))
        }
        _ = try await log.append(batch, delivery: nil)
    }

    func erase(_ name: String) async throws(StoreError) {
        try await log.erase(Self.key(name))
        events.removeAll { $0.name == name }
    }

    func purge(before bucket: Bucket) { events.removeAll { $0.bucket < bucket } }

    func reopen(withKeys: Bool = true) async throws(StoreError) {
        try await log.close()
        var options = options
        if !withKeys { options.keys = nil }
        log = try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    func crash() async throws(StoreError) {
        let dead = log
        disk = disk.processCrash()
        try? await dead.close()
        log = try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    /// The lines of a name, page after page.
    func lines(of name: String, since: Bucket = .earliest, limit: Int) throws(StoreError) -> [String] {
        var (lines, query) = ([String](), KeyQuery(key: Self.key(name), since: since, limit: limit))
        while true {
            let page = try log.snapshot().page(of: query) { Self.name($0) == name }
            precondition(page.isComplete && page.lines.count <= limit)
            lines += page.lines.map { String(decoding: $0, as: UTF8.self) }
            guard let next = page.next else { return lines }
            query.cursor = KeyCursor(text: next.text)
        }
    }

    /// The same as they must be.
    func expected(of name: String, since: Bucket = .earliest) -> [String] {
        let seed = log.snapshot().orderSeed
        func hash(_ line: String) -> Hash128 { Array(line.utf8).withUnsafeBytes { xxh3Wide($0, seed: seed) } }
        return events.filter { $0.name == name && $0.bucket >= since }
            .map { (bucket: $0.bucket, hash: hash($0.line), line: $0.line) }
            .sorted {
                $0.bucket == $1.bucket
                    ? ($0.hash.high, $0.hash.low) < ($1.hash.high, $1.hash.low) : $0.bucket > $1.bucket
            }.map(\.line)
    }

    /// Every line that a scan delivers, with its bucket order checked against nothing: sorted.
    func scanned(_ order: ScanRequest.Order) throws(StoreError) -> [String] {
        let scan = try Scan(log.snapshot(), ScanRequest(order: order))
        var lines: [String] = []
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
        }
        precondition(scan.summary.isComplete)
        return lines.sorted()
    }

    /// What is on the disk of every segment, block by block, erased or not.
    func stored() throws(StoreError) -> [(meta: BlockMeta, lines: String)] {
        let snapshot = log.snapshot()
        let reader = BlockReader(snapshot.access)
        var segments = [snapshot.active?.segment].compactMap { $0 }
        for entry in snapshot.sealed.entries {
            if let segment = try reader.open(entry, store: snapshot.store) { segments.append(segment) }
        }
        var blocks: [(meta: BlockMeta, lines: String)] = []
        for segment in segments {
            for entry in segment.blocks.entries where entry.lines > 0 {
                let block = BlockReference(segment: segment, entry: entry)
                let output = ScanOutput()
                try reader.append(block, buckets: Bucket.earliest...Bucket.latest, order: .time, to: output)
                if let meta = try reader.meta(block) {
                    blocks.append((meta, String(decoding: output.bytes, as: UTF8.self)))
                }
            }
        }
        return blocks
    }
}
