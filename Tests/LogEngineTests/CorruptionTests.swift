import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Corruption")
struct CorruptionTests {
    // MARK: - Every bit, every length

    @Test(
        "a flipped bit is found by the first scan that reads it; only its block is lost, and nothing else is served",
        arguments: [SmallStore.sealedPath, SmallStore.activePath])
    func flips(_ path: String) async throws {
        let store = try await SmallStore.make()
        let bytes = try #require(store.disk.contents(path))
        for bit in 0..<bytes.count * 8 {
            store.disk.flipBit(path, bit)
            let (events, summary) = try store.scan()
            #expect(events == store.surviving(path) { $0.contains(bit / 8) }, "bit \(bit)")
            #expect(!summary.isComplete && summary.faults.allSatisfy { $0.path == path }, "bit \(bit)")
            store.disk.replace(path, bytes)
        }
    }

    @Test("verify finds every flipped byte", arguments: [SmallStore.sealedPath, SmallStore.activePath])
    func verifyFlips(_ path: String) async throws {
        let store = try await SmallStore.make()
        let bytes = try #require(store.disk.contents(path))
        #expect(try store.verify().isSound)
        for byte in bytes.indices {
            store.disk.flipBit(path, byte * 8 + byte % 8)
            let faults = try store.verify().faults
            #expect(!faults.isEmpty && faults.allSatisfy { $0.path == path }, "byte \(byte)")
            store.disk.replace(path, bytes)
        }
    }

    @Test(
        "cut off anywhere, a segment is found short, and what stands before the cut is served",
        arguments: [SmallStore.sealedPath, SmallStore.activePath])
    func cuts(_ path: String) async throws {
        let store = try await SmallStore.make()
        let bytes = try #require(store.disk.contents(path))
        for count in 0..<bytes.count {
            store.disk.replace(path, Array(bytes[..<count]))
            let (events, summary) = try store.scan()
            #expect(events == store.surviving(path) { $0.upperBound > count }, "\(count) bytes")
            #expect(!summary.isComplete && summary.faults.allSatisfy { $0.path == path }, "\(count) bytes")
            if count % 7 == 0 { #expect(try !store.verify().isSound) }
        }
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
        #expect(store.disk.contents("/data/interactions/MANIFEST.0") == store.disk.contents("/data/interactions/MANIFEST.1"))
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
        for (content, clause) in [(nil, Clause.fileMissing), ([], .fileLength), ([UInt8](repeating: 7, count: 900), .fileLength)] {
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
        let example = try #require(FixtureStores.read("segments/worked-example.ndjson.lz4"))
        let manifest = try #require(FixtureStores.read("manifests/L1.manifest"))
        let file = try #require(FixtureStores.read("segments/\(clause.rawValue).ndjson.lz4"))
        let store = try SmallStore.listing(file, like: example, manifest)
        #expect(try store.verify().faults.map(\.fault.clause).contains(clause))
    }

    @Test(
        "a manifest that is right in itself breaks its clause beside its segment",
        arguments: [Clause.fileMissing, .fileLength, .fileHash])
    func manifestClauses(_ clause: Clause) throws {
        let store = SmallStore.empty()
        let manifest = try #require(FixtureStores.read("manifests/\(clause.rawValue).manifest"))
        for slot in 0...1 { store.disk.replace("/data/interactions/MANIFEST.\(slot)", manifest) }
        store.disk.replace(SmallStore.sealedPath, try #require(FixtureStores.read("segments/worked-example.ndjson.lz4")))
        #expect(try store.verify().faults.map(\.fault.clause).contains(clause))
    }
}
