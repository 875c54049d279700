import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Recovery")
struct RecoveryTests {
    @Test("with the newest seal damaged, sources are still known: a repeat is not stored again")
    func sourcesBehindDamagedSeal() async throws {
        let (disk, environment) = (VirtualDisk(), TestEnvironment())
        let delivery = Delivery.source(SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3), number: 7)
        let batch = TestBatch(10, [TestEvent(10, bucket: .ofTest(1))], delivery: delivery)
        var log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
        _ = try await log.append(batch.lines, delivery: delivery)
        try await log.seal()
        try await log.close()
        disk.flipBit(SmallStore.sealedPath, 8 * (try #require(disk.contents(SmallStore.sealedPath)).count - 1))
        log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
        #expect(try await log.append(batch.lines, delivery: delivery).isRepeat)
        try await log.close()
    }

    @Test(
        "a name that the engine would not give is no segment",
        arguments: [
            "+0000000000000000001.ndjson.lz4", "00000000000000000000.ndjson.lz4", "0000000000000000001.ndjson.lz4",
            "18446744073709551615.ndjson.lz4", "00000000000000000001.ndjson", "x0000000000000000001.ndjson.lz4",
        ])
    func names(_ name: String) { #expect(Layout.hotSegment(named: name) == nil) }
}
