import Glibc
import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Corruption")
struct CorruptionTests {
    // MARK: - Every bit, every length

    @Test(
        "a flipped bit is found by the first scan that reads it; only its block is lost, and nothing else is served",
        arguments: SmallStore.paths)
    func flips(_ path: String) async throws {
        let store = try await SmallStore.make(holding: path)
        let bytes = try #require(store.disk.contents(path))
        var (wrong, unseen): ([Int], [Int]) = ([], [])
        for bit in 0..<bytes.count * 8 {
            store.disk.flipBit(path, bit)
            let (events, summary) = try store.scan()
            if events != store.surviving(path, { $0.contains(bit / 8) }) { wrong.append(bit) }
            if !summary.blames(path) { unseen.append(bit) }
            if bit % 8 == 0, try store.scan(.time).events.map(\.sequence.value).sorted() != events.map(\.sequence.value)
            {
                wrong.append(bit)
            }
            store.disk.replace(path, bytes)
        }
        #expect(wrong.isEmpty && unseen.isEmpty)
    }

    @Test("verify finds every flipped byte", arguments: SmallStore.paths)
    func verifyFlips(_ path: String) async throws {
        let store = try await SmallStore.make(holding: path)
        let bytes = try #require(store.disk.contents(path))
        #expect(try store.verify().isSound)
        var unseen: [Int] = []
        for byte in bytes.indices {
            store.disk.flipBit(path, byte * 8 + byte % 8)
            let faults = try store.verify().faults
            if faults.isEmpty || faults.contains(where: { $0.path != path }) { unseen.append(byte) }
            store.disk.replace(path, bytes)
        }
        #expect(unseen.isEmpty)
    }

    @Test(
        "cut off anywhere, a segment is found short, and what stands before the cut is served",
        arguments: SmallStore.paths)
    func cuts(_ path: String) async throws {
        let store = try await SmallStore.make(holding: path)
        let bytes = try #require(store.disk.contents(path))
        var (wrong, unseen): ([Int], [Int]) = ([], [])
        for count in 0..<bytes.count {
            store.disk.replace(path, Array(bytes[..<count]))
            let (events, summary) = try store.scan()
            if events != store.surviving(path, { $0.upperBound > count }) { wrong.append(count) }
            if !summary.blames(path) { unseen.append(count) }
            if count % 7 == 0 { #expect(try !store.verify().isSound) }
        }
        #expect(wrong.isEmpty && unseen.isEmpty)
    }

    @Test("a store with a flipped bit opens to write, and keeps the damaged file byte for byte")
    func writerBesideFlips() async throws {
        let store = try await SmallStore.make()
        let bytes = try #require(store.disk.contents(SmallStore.activePath))
        for bit in stride(from: 0, to: bytes.count * 8, by: 41) {
            let damaged = SmallStore(store, on: store.disk.copy())
            damaged.disk.flipBit(SmallStore.activePath, bit)
            let kept = damaged.disk.contents(SmallStore.activePath)
            let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: damaged.settings)
            let outcome = try await log.append(TestBatch(90, buckets: [9]).lines, delivery: nil)
            let events = try readAll(log.snapshot(), ScanRequest(order: .arrival)).events
            #expect(events.dropLast() == damaged.surviving(SmallStore.activePath) { $0.contains(bit / 8) }[...])
            #expect(events.last?.sequence == outcome.firstSequence)
            #expect(!log.report.faults.isEmpty)
            try await log.close()
            #expect(damaged.disk.contents(SmallStore.activePath) == kept, "bit \(bit)")
        }
    }

    // MARK: - Manifests

    @Test("with a bit flipped in one manifest the other rules, and it is said", arguments: 0...1)
    func oneManifest(_ slot: Int) async throws {
        let store = try await SmallStore.make()
        let path = "/data/interactions/MANIFEST.\(slot)"
        let bytes = try #require(store.disk.contents(path))
        for bit in 0..<bytes.count * 8 {
            store.disk.flipBit(path, bit)
            let (snapshot, notes) = try StoreReader.snapshot(
                of: dataDirectory, options: LogOptions(), environment: store.settings)
            #expect(notes.contains { $0.contains(path) }, "bit \(bit)")
            #expect(snapshot.lastSequence == store.events.last?.sequence)
            store.disk.replace(path, bytes)
        }
        #expect(try store.scan().events == store.events)
    }

    @Test("a writer that met one bad manifest has written both anew", arguments: 0...1)
    func rewritten(_ slot: Int) async throws {
        let store = try await SmallStore.make()
        store.disk.flipBit("/data/interactions/MANIFEST.\(slot)", 333)
        let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: store.settings)
        #expect(log.report.faults.count == 1)
        try await log.close()
        #expect(try store.verify().isSound)
        let slots = (0...1).map { store.disk.contents("/data/interactions/MANIFEST.\($0)") }
        #expect(slots[0] == slots[1])
    }

    @Test("both manifests damaged: the store is refused, and nothing of it is touched")
    func bothManifests() async throws {
        let store = try await SmallStore.make()
        for slot in 0...1 { store.disk.flipBit("/data/interactions/MANIFEST.\(slot)", 100 + slot) }
        let before = store.disk.paths.map { store.disk.contents($0) }
        expectCode(.corrupt) { () throws(StoreError) in
            _ = try EventLog.open(dataDirectory, options: LogOptions(), environment: store.settings)
        }
        expectCode(.corrupt) { () throws(StoreError) in _ = try store.scan() }
        #expect(store.disk.paths.map { store.disk.contents($0) } == before)
    }

    // MARK: - Other files

    @Test("a sealed segment that is missing, empty or garbage is reported, and the others are served")
    func badFiles() async throws {
        let path = SmallStore.sealedPath
        let garbage = [UInt8](repeating: 7, count: 900)
        for (content, clause) in [(nil, Clause.fileMissing), ([], .fileLength), (garbage, .fileLength)] {
            let store = try await SmallStore.make()
            if let content { store.disk.replace(path, content) } else { try store.disk.remove(path) }
            let (events, summary) = try store.scan()
            #expect(events == store.surviving(path) { _ in true })
            #expect(summary.faults.contains { $0.path == path && $0.fault.clause == clause })
            #expect(try store.verify().faults.contains { $0.fault.clause == clause })
            let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: store.settings)
            #expect(log.report.faults.contains { $0.fault.clause == clause })
            try await log.close()
        }
    }

    @Test("a segment of another store, or of another number, is not served as this one")
    func swapped() async throws {
        let store = try await SmallStore.make()
        let other = try await SmallStore.make(seed: 2)
        store.disk.replace(SmallStore.sealedPath, try #require(other.disk.contents(SmallStore.sealedPath)))
        #expect(try store.scan().events == store.surviving(SmallStore.sealedPath) { _ in true })
        #expect(try store.verify().faults.contains { $0.fault.clause == .headStore })

        let renamed = try await SmallStore.make()
        renamed.disk.replace(SmallStore.sealedPath, try #require(renamed.disk.contents(SmallStore.activePath)))
        #expect(try renamed.scan().events == renamed.surviving(SmallStore.sealedPath) { _ in true })
        #expect(try renamed.verify().faults.contains { $0.fault.clause == .headSegment })
    }

    // MARK: - Clauses that only a store can see

    @Test(
        "a fixture that is well formed in itself breaks its clause in a store",
        arguments: [Clause.headStore, .headSegment, .commitOrder, .commitSequence, .sealBlocks, .sealHash])
    func segmentClauses(_ clause: Clause) throws {
        let file = try #require(StoreFixtures.read("segments/\(clause.rawValue).ndjson.lz4"))
        let store = try SmallStore.listing(file)
        #expect(try store.verify().faults.map(\.fault.clause).contains(clause))
    }

    @Test(
        "a manifest that is right in itself breaks its clause beside its segment",
        arguments: [Clause.fileMissing, .fileLength, .fileHash])
    func manifestClauses(_ clause: Clause) throws {
        let store = SmallStore()
        let manifest = try #require(StoreFixtures.read("manifests/\(clause.rawValue).manifest"))
        for slot in 0...1 { store.disk.replace("/data/interactions/MANIFEST.\(slot)", manifest) }
        let example = try #require(StoreFixtures.read("segments/worked-example.ndjson.lz4"))
        store.disk.replace(SmallStore.sealedPath, example)
        #expect(try store.verify().faults.map(\.fault.clause).contains(clause))
    }
}

/// A store on a virtual disk of its own: one sealed segment of two blocks, an active one of one, closed.
struct SmallStore {
    static let sealedPath = "/data/interactions/hot/00000000000000000001.ndjson.lz4"
    static let activePath = "/data/interactions/hot/00000000000000000002.ndjson.lz4"
    /// In place of the sealed one, where it was compacted: two blocks whose sequences overlap.
    static let coldPath = "/data/interactions/cold/2026-11-18/00000000000000000003.ndjson.zst"
    static let paths = [sealedPath, activePath, coldPath]

    let disk: VirtualDisk
    let environment: TestEnvironment
    /// In order of arrival.
    private(set) var events: [ReadEvent] = []
    /// What each block of a file holds, and where its head ends.
    private var blocks: [String: [(bytes: Range<Int>, events: [ReadEvent])]] = [:]

    var settings: Environment { environment.on(disk) }

    /// A store with nothing in it but directories.
    init(seed: UInt64 = 1) {
        disk = VirtualDisk()
        environment = TestEnvironment(seed: seed)
        for path in ["/data", "/data/interactions", "/data/interactions/hot"] { disk.makeDurableDirectory(path) }
    }

    /// The same store as it is on another disk.
    init(_ store: SmallStore, on disk: VirtualDisk) {
        self.disk = disk
        (environment, events, blocks) = (store.environment, store.events, store.blocks)
    }

    static func make(seed: UInt64 = 1) async throws(StoreError) -> SmallStore {
        var store = SmallStore(seed: seed)
        let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: store.settings)
        for batch in [TestBatch(10, buckets: [3, 1, 2]), TestBatch(20, buckets: [2, 2])] {
            _ = try await log.append(batch.lines, delivery: nil)
        }
        try await log.seal()
        let keyed = TestBatch(30, buckets: [5, 4], key: 1)
        _ = try await log.append(keyed.lines, delivery: keyed.delivery)
        try await log.close()
        store.events = try store.scan().events
        for path in [sealedPath, activePath] { try store.note(path) }
        return store
    }

    /// The store in which there is a file of this path.
    static func make(holding path: String) async throws -> SmallStore {
        var store = try await make()
        guard path == coldPath else { return store }
        try HandCompaction(disk: store.disk, environment: store.environment).compact([SegmentNumber(1)])
        try store.note(coldPath)
        return store
    }

    private mutating func note(_ path: String) throws(StoreError) {
        let dump = try SegmentDump.read(path, environment: settings)
        var end = dump.sealOffset ?? dump.length
        for block in dump.blocks.reversed() {
            let sequences = (0..<block.meta.lines).map { block.meta.sequence(ofLine: $0) }
            let held = events.filter { sequences.contains($0.sequence) }
            blocks[path, default: []].append((Int(block.offset)..<Int(end), held))
            end = block.offset
        }
    }

    /// The worked example's store with `file` listed as its only segment, by its own length and hash.
    static func listing(_ file: [UInt8]) throws -> SmallStore {
        let store = SmallStore()
        let bytes = try #require(StoreFixtures.read("manifests/L3.manifest"))
        var manifest = try bytes.decoded(Manifest.decode)
        manifest.segments[0].length = UInt64(file.count)
        let salt = manifest.segments[0].salt.value
        manifest.segments[0].fileHash = file.withUnsafeBytes { xxh3Wide($0, seed: salt) }
        for slot in 0...1 { store.disk.replace("/data/interactions/MANIFEST.\(slot)", manifest.encoded()) }
        store.disk.replace(sealedPath, file)
        return store
    }

    /// What is left where the blocks of a file are bad for whose place `isBad` holds. A bad head loses
    /// nothing: the manifest has its salt too.
    func surviving(_ path: String, _ isBad: (Range<Int>) -> Bool) -> [ReadEvent] {
        let lost = (blocks[path] ?? []).filter { isBad($0.bytes) }.flatMap(\.events)
        return events.filter { !lost.contains($0) }
    }

    /// By a reader without the lock.
    func scan(
        _ order: ScanRequest.Order = .arrival
    ) throws(StoreError) -> (events: [ReadEvent], summary: ScanSummary) {
        let (snapshot, _) = try StoreReader.snapshot(of: dataDirectory, options: LogOptions(), environment: settings)
        return try readAll(snapshot, ScanRequest(order: order))
    }

    func verify() throws(StoreError) -> VerifyReport {
        try StoreReader.verify(dataDirectory, options: LogOptions(), environment: settings) { _ in }
    }
}

extension ScanSummary {
    /// The answer says that it is not complete, and that this file is to blame.
    fileprivate func blames(_ path: String) -> Bool {
        !isComplete && !faults.isEmpty && faults.allSatisfy { $0.path == path }
    }
}

/// The repository's fixtures.
enum StoreFixtures {
    static let root: String = {
        let beside = folder(above: #filePath)
        guard beside == nil, let real = realpath(#filePath, nil) else { return beside ?? "." }
        defer { free(real) }
        return folder(above: String(cString: real)) ?? "."
    }()

    /// The `Fixtures` that has a `SPEC.md` beside it, in the nearest folder above.
    private static func folder(above path: String) -> String? {
        var parts = path.split(separator: "/").dropLast()
        while !parts.isEmpty {
            let folder = "/" + parts.joined(separator: "/")
            if access("\(folder)/SPEC.md", F_OK) == 0, access("\(folder)/Fixtures", F_OK) == 0 {
                return "\(folder)/Fixtures"
            }
            parts.removeLast()
        }
        return nil
    }

    static func read(_ name: String) -> [UInt8]? {
        let disk = PosixDisk()
        do throws(StoreError) {
            guard let length = try disk.fileLength("\(root)/\(name)") else { return nil }
            return try StoreFile(disk, "\(root)/\(name)", .read).read(Int(length), at: 0)
        } catch {
            return nil
        }
    }
}

extension VirtualDisk {
    func makeDurableDirectory(_ path: String) {
        let parent = path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        do throws(SystemFault) {
            try makeDirectory(path)
            try syncDirectory(parent.isEmpty ? "/" : parent, .storeDirectory)
        } catch {
            Issue.record(error)
        }
    }
}

func expectCode(_ code: StoreError.Code, _ body: () throws(StoreError) -> Void) {
    do throws(StoreError) {
        try body()
        Issue.record("no error")
    } catch {
        #expect(error.code == code, "\(error)")
    }
}
