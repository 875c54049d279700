import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// A log that jobs work on, and the array that it must equal.
final class KeptLog {
    static let day: UInt64 = 86_400_000
    private(set) var disk: VirtualDisk
    let environment: TestEnvironment
    private(set) var log: EventLog
    private(set) var reference = ReferenceLog()
    private var nextNumber = 1
    let layout = Layout(data: dataDirectory, stream: .interactions)

    init(_ disk: VirtualDisk = VirtualDisk(), seed: UInt64 = 1) throws(StoreError) {
        self.disk = disk
        environment = TestEnvironment(seed: seed)
        log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    var now: UInt64 { environment.clock.now }
    var entries: [SegmentEntry] { log.snapshot().sealed.entries }

    /// The bucket of so many days and buckets before now.
    func bucket(daysAgo days: UInt64, _ index: Int = 0) -> Bucket {
        let moment = Int(now) - Int(days * Self.day) + index * Int(Resolution.tenMinutes.milliseconds)
        return Resolution.tenMinutes.bucket(of: UInt64(moment))
    }

    /// One event a bucket, which are numbered as they come.
    @discardableResult
    func append(_ buckets: [Bucket], padding: Int = 0, key: Int? = nil) async throws(StoreError) -> TestBatch {
        let events = buckets.enumerated().map {
            TestEvent(nextNumber + $0.offset, bucket: $0.element, padding: padding)
        }
        let batch = TestBatch(nextNumber, events, delivery: key.map { TestBatch.delivery(key: $0, events) })
        nextNumber += events.count
        let outcome = try await log.append(batch.lines, delivery: batch.delivery)
        reference.append(events.filter { $0.bucket >= log.horizon }, firstSequence: outcome.firstSequence)
        return batch
    }

    func reopen() async throws(StoreError) {
        try await log.close()
        log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    /// The process is killed.
    func crash() async throws(StoreError) {
        let dead = log
        disk = disk.processCrash()
        try? await dead.close()
        log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    func read(_ order: ScanRequest.Order = .arrival) throws(StoreError) -> [ReadEvent] {
        try readAll(log.snapshot(), ScanRequest(order: order)).events
    }

    /// What the reference holds from a bucket on.
    func expected(_ order: ScanRequest.Order = .arrival, from horizon: Bucket = .earliest) -> [ReadEvent] {
        reference.scan(horizon.milliseconds...UInt64.max, order: order)
    }

    func purgedLines(before horizon: UInt64) -> Set<String> {
        Set(reference.scan(0...(horizon - 1), order: .arrival).map(\.line))
    }

    /// The names below the stream's directory that hold events.
    func files() throws -> [String] { try Self.files(disk, layout) }

    static func files(_ disk: VirtualDisk, _ layout: Layout) throws -> [String] {
        var found = try disk.list(layout.hot).filter { $0 != "ACTIVE" }.map { "hot/\($0)" }
        found += try disk.list("\(layout.root)/tmp").map { "tmp/\($0)" }
        for day in try disk.list(layout.cold) {
            found += try disk.list("\(layout.cold)/\(day)").map { "cold/\(day)/\($0)" }
        }
        return found.sorted()
    }

    /// Every line that decompressing the files gives, whatever lists them.
    func linesOnDisk() throws -> [String] { try Self.linesOnDisk(disk, layout, environment) }

    static func linesOnDisk(_ disk: VirtualDisk, _ layout: Layout, _ environment: TestEnvironment) throws -> [String] {
        var lines: [String] = []
        for name in try files(disk, layout) {
            _ = try SegmentDump.read("\(layout.root)/\(name)", environment: environment.on(disk)) { _, raw in
                for line in raw.split(separator: 0x0A) {
                    lines.append(ReadEvent(sequence: .first, line: UnsafeRawBufferPointer(rebasing: line)).line)
                }
            }
        }
        return lines
    }
}
