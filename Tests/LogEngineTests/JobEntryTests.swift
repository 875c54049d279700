import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What jobs begin and end with")
struct JobEntryTests {
    private let disk = VirtualDisk()
    private let environment = TestEnvironment()

    private func open(makesStore: Bool = true) throws(StoreError) -> EventLog {
        var options = LogOptions()
        options.makesStore = makesStore
        return try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    @Test("a store that is not to be made is not made, not even a directory of it")
    func notMade() async throws {
        let before = disk.paths
        #expect(throws: StoreError.self) { try open(makesStore: false) }
        do { _ = try open(makesStore: false) } catch { #expect(error.code == .missing) }
        #expect(disk.paths == before)
        try await open().close()
        try await open(makesStore: false).close()
    }

    @Test("where a store was begun and never finished, none is made either")
    func unfinished() async throws {
        try await open().close()
        let layout = Layout(data: dataDirectory, stream: .interactions)
        for path in disk.paths where path.contains("MANIFEST") || path.hasSuffix(".ndjson.lz4") {
            try disk.remove(path)
        }
        do { _ = try open(makesStore: false) } catch { #expect(error.code == .missing) }
        #expect(try disk.length(of: layout.manifest(0)) == nil)
        let log = try open()
        #expect(log.report.isNew)
        try await log.close()
    }

    @Test("a seal tells of the segment that it sealed, and of none where there was nothing to seal")
    func seal() async throws {
        let log = try open()
        #expect(try await log.seal() == nil)
        _ = try await log.append(TestBatch(1, buckets: [5, 1, 5]).lines, delivery: nil)
        let first = try #require(try await log.seal())
        #expect(first.number == SegmentNumber(1) && first.lines == 3 && first.isSealed)
        #expect(try await log.seal() == nil)
        _ = try await log.append(TestBatch(2, buckets: [7]).lines, delivery: nil)
        #expect(try await log.seal()?.number == SegmentNumber(2))
        try await log.close()
    }
}
