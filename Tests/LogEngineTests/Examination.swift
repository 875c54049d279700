import LogEngine
import SegmentFormat
import TestSupport

let dataDirectory = "/data"

/// Opens what is on a disk, holds it to a ledger, repeats every delivery, and holds it again. Returns
/// what is wrong; nothing that a disk went through may make a store refuse to open.
func examine(_ disk: VirtualDisk, _ ledger: Ledger, _ environment: TestEnvironment) async -> [String] {
    var ledger = ledger
    do throws(StoreError) {
        let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
        var found: [String] = []
        do throws(StoreError) {
            found = try await examine(log, &ledger)
        } catch {
            found = ["reading failed: \(error)"]
        }
        try await log.close()
        let report = try StoreReader.verify(
            dataDirectory, options: LogOptions(), environment: environment.on(disk), progress: { _ in })
        // A manifest that was being written may be torn; the other one rules.
        let reported = log.report.faults.filter { $0.path.contains("/hot/") }
        return found + (report.faults + reported).map { "fault: \($0)" }
    } catch {
        return ["refused: \(error)"]
    }
}

private func examine(_ log: EventLog, _ ledger: inout Ledger) async throws(StoreError) -> [String] {
    let first = try readAll(log.snapshot(), ScanRequest(order: .arrival))
    var found = ledger.violations(of: first.events)
    found += try orderViolations(log.snapshot(), first.events, ledger)
    found += first.summary.faults.map { "fault: \($0)" }
    if !first.summary.isComplete { found.append("the scan is not complete") }
    found += await ledger.repeatDeliveries(to: log, holding: first.events)
    ledger.wasServed(first.events)
    let last = try readAll(log.snapshot(), ScanRequest(order: .arrival))
    return found + ledger.violations(of: last.events)
}

/// In order of time the same events come, by bucket, then by sequence.
private func orderViolations(
    _ snapshot: LogSnapshot, _ arrived: [ReadEvent], _ ledger: Ledger
) throws(StoreError) -> [String] {
    var buckets: [String: Bucket] = [:]
    for event in ledger.batches.flatMap(\.events) { buckets[event.brief] = event.bucket }
    let expected = arrived.sorted {
        (buckets[$0.line] ?? .latest, $0.sequence) < (buckets[$1.line] ?? .latest, $1.sequence)
    }
    return try readAll(snapshot, ScanRequest(order: .time)).events == expected ? [] : ["order=time differs"]
}
