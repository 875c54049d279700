import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// A log on a disk of its own, and the array that it must equal.
struct ScannedLog {
    let disk = VirtualDisk()
    let log: EventLog
    private(set) var reference = ReferenceLog()
    private let environment: TestEnvironment

    init(seed: UInt64 = 1) throws(StoreError) {
        environment = TestEnvironment(seed: seed)
        log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    /// A batch of its own is a block of its own.
    mutating func append(_ batch: TestBatch) async throws(StoreError) {
        let outcome = try await log.append(batch.lines, delivery: nil)
        reference.append(batch.events, firstSequence: outcome.firstSequence)
    }

    func read(_ request: ScanRequest) throws(StoreError) -> (events: [ReadEvent], summary: ScanSummary) {
        try readAll(log.snapshot(), request)
    }

    /// Page after page, each going on from the text of the cursor before.
    func pages(_ request: ScanRequest) throws(StoreError) -> [[ReadEvent]] {
        var request = request
        var pages: [[ReadEvent]] = []
        while true {
            let (events, summary) = try read(request)
            pages.append(events)
            guard let cursor = summary.cursor else { return pages }
            guard let next = ScanCursor(text: cursor.text) else { throw StoreError.badCursor }
            request.cursor = next
        }
    }

    /// The newest snapshot, as if the manifest were another.
    func snapshot(_ change: (inout Manifest) -> Void) throws -> LogSnapshot {
        let snapshot = log.snapshot()
        let reading = try ManifestReading.read(snapshot.access.layout, disk)
        var manifest = try #require(reading.ruling)
        change(&manifest)
        return LogSnapshot(
            manifest: manifest, sealed: snapshot.sealed, active: snapshot.active, access: snapshot.access)
    }
}
