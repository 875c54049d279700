import Glibc
import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// A store as version 1 writes it; later versions have to read it. `DAYBOOK_WRITE_FIXTURES=1` makes it anew.
@Suite("A store of version 1", .serialized)
struct FixtureStoreTests {
    private static let isWriting = getenv("DAYBOOK_WRITE_FIXTURES").map { String(cString: $0) == "1" } ?? false
    private static let folder = "\(StoreFixtures.root)/stores/v1-small"
    private static let expected = "stores/v1-small/expected.ndjson"

    /// What the fixture is written from: a seal stands behind the second and the fourth batch.
    private static let batches = [
        TestBatch(10, buckets: [2, 1, 2, 3], key: 1), TestBatch(20, buckets: [3, 3]),
        TestBatch(30, [TestEvent(30, bucket: .ofTest(4)), TestEvent(31, bucket: .ofTest(2))], delivery: source(1)),
        TestBatch(40, buckets: [1, 5], key: 2), TestBatch(50, buckets: [5, 6, 4], key: 3),
        TestBatch(60, [TestEvent(60, bucket: .ofTest(6))], delivery: source(2)),
    ]

    private static func source(_ number: UInt64) -> Delivery {
        .source(SourceEpoch(source: Hash128(low: 7, high: 8), epoch: 9), number: number)
    }

    private let environment = TestEnvironment().on(PosixDisk())

    @Test("is written when asked for", .enabled(if: isWriting))
    func write() async throws {
        try Folder.remove(Self.folder)
        try PosixDisk().makeDirectories(["\(StoreFixtures.root)/stores", Self.folder])
        var options = LogOptions()
        options.reserveBytes = 0
        let log = try EventLog.open(Self.folder, options: options, environment: environment)
        for (index, batch) in Self.batches.enumerated() {
            _ = try await log.append(batch.lines, delivery: batch.delivery)
            if index == 1 || index == 3 { try await log.seal() }
        }
        try await log.close()
        let lines = Self.batches.flatMap(\.events).map { "\($0.line)\n" }.joined()
        try StoreFile(PosixDisk(), "\(StoreFixtures.root)/\(Self.expected)", .create).write(Array(lines.utf8), at: 0)
        try PosixDisk().removeFile("\(Self.folder)/interactions/LOCK")
    }

    /// The lines of the fixture, in order of arrival.
    private func lines() throws -> [String] {
        let bytes = try #require(StoreFixtures.read(Self.expected))
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    private func snapshot(_ directory: String) throws(StoreError) -> (snapshot: LogSnapshot, notes: [String]) {
        try StoreReader.snapshot(of: directory, options: LogOptions(), environment: environment)
    }

    @Test("is read in order of arrival and of time, by a reader without the lock")
    func read() throws {
        try Folder.withCopy(of: Self.folder) { copy in
            let (snapshot, notes) = try snapshot(copy)
            let lines = try lines()
            let arrived = try readAll(snapshot, ScanRequest(order: .arrival))
            #expect(arrived.events.map(\.line) == lines && arrived.summary.isComplete && notes.isEmpty)
            #expect(arrived.events.map(\.sequence.value) == Array(1...UInt64(lines.count)))
            let timestamp = lines.map { $0.dropFirst(#"{"timestamp":"#.count).prefix { $0.isNumber } }
            let sorted = lines.indices.sorted { (timestamp[$0], $0) < (timestamp[$1], $1) }.map { lines[$0] }
            #expect(try readAll(snapshot, ScanRequest(order: .time)).events.map(\.line) == sorted)
        }
    }

    @Test("is sound, and has two sealed segments, an active one, a sequence column and deliveries of both kinds")
    func content() throws {
        try Folder.withCopy(of: Self.folder) { copy in
            let options = LogOptions()
            let report = try StoreReader.verify(copy, options: options, environment: environment) { _ in }
            #expect(report.isSound && report.segments == 3 && report.blocks == 6 && report.lines == 14)
            let segments = try snapshot(copy).snapshot.segments
            #expect(segments.map(\.isSealed) == [true, true, false])
            let metas = try segments.flatMap { segment throws(StoreError) in
                try SegmentDump.read(segment.path, environment: environment).blocks.map(\.meta)
            }
            #expect(metas.contains { $0.arrangement == .perLine([1, 0, 2, 3]) && $0.runs.count == 3 })
            #expect(metas.flatMap(\.keyed).count == 3 && metas.flatMap(\.sourced).count == 2)
        }
    }

    @Test("is opened for writing: each delivery gets its first answer again, and appends go on where it ended")
    func reopen() async throws {
        try await Folder.withCopy(of: Self.folder) { copy in
            let log = try EventLog.open(copy, options: LogOptions(), environment: environment)
            #expect(log.report.faults.isEmpty && log.report.notes.isEmpty && !log.report.isNew)
            var next: UInt64 = 1
            for batch in Self.batches {
                defer { next += UInt64(batch.events.count) }
                guard let delivery = batch.delivery else { continue }
                let outcome = try await log.append(batch.lines, delivery: delivery)
                let isEarlier = delivery == Self.source(1)
                #expect(outcome.isRepeat && outcome.accepted == (isEarlier ? 0 : batch.events.count))
                #expect(isEarlier || outcome.firstSequence == Sequence(next))
            }
            let outcome = try await log.append(TestBatch(90, buckets: [1]).lines, delivery: nil)
            #expect(outcome.firstSequence == Sequence(next) && !outcome.isRepeat)
            try await log.close()
            #expect(try readAll(snapshot(copy).snapshot).events.count == 15)
        }
    }
}

/// Folders of the real file system.
private enum Folder {
    /// A copy of the files of a store, without what git does not keep: empty directories, and the lock.
    static func withCopy<Result>(
        of folder: String, _ body: (String) async throws -> Result
    ) async throws -> Result {
        let directory = try TemporaryDirectory()
        return try await body(copy(of: folder, in: directory.path))
    }

    static func withCopy(of folder: String, _ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        try body(copy(of: folder, in: directory.path))
    }

    private static func copy(of folder: String, in directory: String) throws -> String {
        let copy = "\(directory)/store"
        let hot = try PosixDisk().names(in: "\(folder)/interactions/hot")
        let names = ["MANIFEST.0", "MANIFEST.1"] + hot.map { "hot/\($0)" }
        try PosixDisk().makeDirectories([copy, "\(copy)/interactions", "\(copy)/interactions/hot"])
        for name in names {
            let bytes = try #require(StoreFixtures.read("stores/v1-small/interactions/\(name)"))
            try StoreFile(PosixDisk(), "\(copy)/interactions/\(name)", .create).write(bytes, at: 0)
        }
        return copy
    }

    /// Removes a folder and all that is in it; there need be none.
    static func remove(_ folder: String) throws {
        guard access(folder, F_OK) == 0 else { return }
        for name in try PosixDisk().names(in: folder) {
            let path = "\(folder)/\(name)"
            if unlink(path) != 0 { try remove(path) }
        }
        try #require(rmdir(folder) == 0, "cannot remove \(folder)")
    }
}
