import LogEngine
import SegmentFormat
import TestSupport
import Testing

/// A story of one store, told by operations on a disk. It ends by throwing where the disk fails it; where
/// the disk is full it tries once more.
/// The batches of a scenario are made once: most of them are small, one is of several blocks.
struct Scenario: Sendable, CustomStringConvertible {
    /// The machine of a story.
    struct Stage {
        var disk: VirtualDisk
        var ledger = Ledger()
        let environment: TestEnvironment

        init(_ disk: VirtualDisk = VirtualDisk(), seed: UInt64 = 1) {
            self.disk = disk
            environment = TestEnvironment(seed: seed)
        }
    }

    let description: String
    private let steps: @Sendable (inout Stage) async throws(StoreError) -> Void
    /// The store is there, closed and empty, before the story begins.
    private let hasStore: Bool

    init(
        _ description: String, hasStore: Bool = false,
        _ steps: @escaping @Sendable (inout Stage) async throws(StoreError) -> Void
    ) {
        self.description = description
        self.hasStore = hasStore
        self.steps = steps
    }

    /// Where the story begins.
    func start() async throws(StoreError) -> Stage {
        var stage = Stage()
        if hasStore { try await stage.open { _, _ in } }
        return stage
    }

    /// Tells the story up to its end or to the first failure, which is returned.
    func run(on stage: inout Stage) async -> StoreError? {
        do throws(StoreError) {
            try await steps(&stage)
            return nil
        } catch {
            return error
        }
    }

    /// Tells the story up to operation 1, up to operation 2 and so on until it completes, each time on
    /// a copy of `start`, and shows what the cut leaves to `body`, until that returns `false`. Returns
    /// the number of operations.
    @discardableResult
    func forEachCut(from start: Stage, _ body: (_ cut: Int, Stage) async -> Bool) async -> Int {
        var cut = 0
        while true {
            cut += 1
            var stage = start
            stage.disk = start.disk.copy()
            stage.disk.stop(at: cut)
            let failure = await run(on: &stage)
            let isCut = stage.disk.isStopped
            if !isCut, let failure { Issue.record("\(self) ends by itself: \(failure)") }
            guard await body(cut, stage), isCut else { return cut - 1 }
        }
    }
}

extension Scenario.Stage {
    /// Opens the store for the length of `body`, then closes it, whether or not the disk lets it.
    mutating func open(
        _ body: (EventLog, inout Scenario.Stage) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        let log = try openLog()
        do throws(StoreError) {
            try await body(log, &self)
        } catch {
            try? await log.close()
            throw error
        }
        do throws(StoreError) { try await log.close() } catch { try forgive(error) }
    }

    /// Opens the store for the length of `body`; then the process is killed.
    mutating func openAndCrash(
        _ body: (EventLog, inout Scenario.Stage) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        let log = try openLog()
        let result: Result<Void, StoreError>
        do throws(StoreError) { result = .success(try await body(log, &self)) } catch { result = .failure(error) }
        if case .success = result { disk = disk.processCrash() }
        try? await log.close()
        try result.get()
    }

    private func openLog() throws(StoreError) -> EventLog {
        do throws(StoreError) { return try openOnce() } catch { try forgive(error) }
        return try openOnce()
    }

    private func openOnce() throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    mutating func append(_ batch: TestBatch, to log: EventLog) async throws(StoreError) {
        do throws(StoreError) {
            try await ledger.append(batch, to: log)
        } catch {
            try forgive(error)
            try await ledger.append(batch, to: log)
        }
    }

    func seal(_ log: EventLog) async throws(StoreError) {
        do throws(StoreError) {
            try await log.seal()
        } catch {
            try forgive(error)
            try await log.seal()
        }
    }

    func compact(_ log: EventLog) async throws(StoreError) {
        do throws(StoreError) {
            _ = try await log.compact()
        } catch {
            try forgive(error)
            _ = try await log.compact()
        }
    }

    /// Purges what is before a bucket, which is just these batches.
    mutating func purge(_ batches: [TestBatch], before horizon: Bucket, _ log: EventLog) async throws(StoreError) {
        var options = PurgeOptions()
        options.policy = RetentionPolicy(maxAgeMilliseconds: environment.clock.now - horizon.milliseconds)
        options.readerGrace = 0
        for batch in batches { ledger.mayLose(batch) }
        let report: PurgeReport
        do throws(StoreError) {
            report = try await log.purge(options)
        } catch {
            try forgive(error)
            report = try await log.purge(options)
        }
        guard report.deferred.isEmpty else { return }
        for batch in batches { ledger.hasLost(batch) }
    }

    mutating func read(_ log: EventLog) throws(StoreError) {
        ledger.wasServed(try readAll(log.snapshot(), ScanRequest(order: .arrival)).events)
    }

    /// After a refusal for want of room the story goes on; after anything else it does not.
    private func forgive(_ error: StoreError) throws(StoreError) {
        guard error.code == .noSpace else { throw error }
    }
}

extension Scenario {
    private static let ordered = TestBatch(100, buckets: [3, 3, 4], key: 1)
    private static let single = TestBatch(200, buckets: [4])
    private static let shuffled = TestBatch(300, buckets: [5, 2, 4, 2, 5], key: 2)
    /// Of two blocks: its long lines do not fit in one.
    private static let wide: TestBatch = {
        let events = [(4, LineBatch.blockTarget / 2), (6, LineBatch.blockTarget / 2), (5, 0)].enumerated().map {
            TestEvent(400 + $0.offset, bucket: .ofTest($0.element.0), padding: $0.element.1)
        }
        return TestBatch(400, events, delivery: TestBatch.delivery(key: 3, events))
    }()
    private static let sourced = TestBatch(
        500, [TestEvent(500, bucket: .ofTest(6))],
        delivery: .source(SourceEpoch(source: Hash128(low: 1, high: 2), epoch: 3), number: 7))
    private static let late = TestBatch(600, buckets: [0, 6], key: 4)
    private static let last = TestBatch(700, buckets: [7, 1], key: 5)

    /// Created, appended to, sealed, closed, opened again.
    static let life = Scenario("a life") { stage throws(StoreError) in
        try await stage.open { log, stage throws(StoreError) in
            try await stage.append(ordered, to: log)
            try await stage.append(single, to: log)
            try await stage.append(sourced, to: log)
            try await stage.seal(log)
            try await stage.append(shuffled, to: log)
            try stage.read(log)
        }
        try await stage.open { log, stage throws(StoreError) in
            try await stage.append(late, to: log)
            try await stage.seal(log)
            try await stage.append(ordered, to: log)
            try await stage.append(last, to: log)
        }
    }

    /// The process is killed twice, the second time behind a seal.
    static let crashes = Scenario("two crashes", hasStore: true) { stage throws(StoreError) in
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try await stage.append(ordered, to: log)
            try await stage.append(sourced, to: log)
        }
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try stage.read(log)
            try await stage.append(shuffled, to: log)
            try await stage.seal(log)
            try await stage.append(single, to: log)
        }
        try await stage.open { log, stage throws(StoreError) in
            try stage.read(log)
            try await stage.append(late, to: log)
            try await stage.append(last, to: log)
        }
    }

    /// A batch of several blocks: before a crash, and before a seal.
    static let blocks = Scenario("several blocks", hasStore: true) { stage throws(StoreError) in
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try await stage.append(single, to: log)
            try await stage.append(wide, to: log)
        }
        try await stage.open { log, stage throws(StoreError) in
            try await stage.seal(log)
            try await stage.append(late, to: log)
        }
    }

    private static let old = TestBatch(800, buckets: [1, 2, 3])
    private static let yesterday1 = TestBatch(840, buckets: [-20, -19], key: 10)
    private static let yesterday2 = TestBatch(850, buckets: [-18, -19], key: 11)
    private static let older = TestBatch(810, buckets: [0, 0])

    /// Segments are compacted, and what they became is joined with late ones; killed in between.
    static let compaction = Scenario("compactions", hasStore: true) { stage throws(StoreError) in
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try await stage.append(ordered, to: log)
            try await stage.append(sourced, to: log)
            try await stage.seal(log)
            try await stage.append(yesterday1, to: log)
            try await stage.seal(log)
            try await stage.compact(log)
            try await stage.append(single, to: log)
            try stage.read(log)
        }
        try await stage.open { log, stage throws(StoreError) in
            try await stage.append(late, to: log)
            try await stage.seal(log)
            try await stage.append(yesterday2, to: log)
            try await stage.seal(log)
            try await stage.compact(log)
            try stage.read(log)
        }
    }

    /// What is old is purged: of the active segment, of a hot one and of a cold one.
    static let purge = Scenario("purges", hasStore: true) { stage throws(StoreError) in
        try await stage.openAndCrash { log, stage throws(StoreError) in
            try await stage.append(older, to: log)
            try await stage.seal(log)
            try await stage.append(old, to: log)
            try await stage.append(ordered4, to: log)
            try await stage.purge([older], before: .ofTest(1), log)
            try await stage.append(last4, to: log)
        }
        try await stage.open { log, stage throws(StoreError) in
            try await stage.seal(log)
            try await stage.compact(log)
            try await stage.purge([old], before: .ofTest(4), log)
            try stage.read(log)
        }
    }
    private static let ordered4 = TestBatch(820, buckets: [4, 5], key: 8)
    private static let last4 = TestBatch(830, buckets: [6, 4], key: 9)

    static let all = [life, crashes, blocks, compaction, purge]
}
