import LogEngine
import SegmentFormat
import TestSupport
import Testing

@Suite("A log against an array")
struct ModelTests {
    @Test("random appends, seals, compactions, crashes, scans and pages", arguments: 1...16)
    func random(seed: UInt64) async throws {
        var model = try Model(seed: seed)
        for step in 1...120 {
            do {
                try await model.step()
            } catch {
                Issue.record("seed \(seed), step \(step): \(error)\n\(model.steps.joined(separator: "\n"))")
                return
            }
        }
        try await model.finish()
        #expect(model.pagesRead > 15)
        #expect(model.compacted > 2)
    }
}

/// A difference between a log and its model.
struct Difference: Error, CustomStringConvertible {
    let description: String

    init(_ what: String, _ found: [ReadEvent], _ expected: [ReadEvent]) {
        let place = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let index = place ?? min(found.count, expected.count)
        let (a, b) = (found.dropFirst(index).prefix(3), expected.dropFirst(index).prefix(3))
        description = "\(what): \(found.count) events, not \(expected.count); from \(index) on \(a), not \(b)"
    }
}

/// A log, what it should hold, and readers in the midst of their pages.
private struct Model {
    private var random: SeededRandom
    private var disk = VirtualDisk()
    private let environment: TestEnvironment
    private var log: EventLog
    private var reference = ReferenceLog()
    private var readers: [PageReader] = []
    private var delivered: [(batch: TestBatch, firstSequence: Sequence)] = []
    private var nextNumber = 1
    /// How far the buckets of events lie apart: a day has 144.
    private let bucketStep: Int
    private(set) var steps: [String] = []
    private(set) var pagesRead = 0
    private(set) var compacted = 0
    private var tags: [ClosedRange<UInt64>: (tag: Hash128?, events: Int)] = [:]

    init(seed: UInt64) throws(StoreError) {
        random = SeededRandom(seed: seed)
        bucketStep = [1, 1, 20, 150].randomElement(using: &random) ?? 1
        environment = TestEnvironment(seed: seed)
        log = try EventLog.open(dataDirectory, options: Self.options, environment: environment.on(disk))
    }

    /// Segments are small, so that there are many.
    private static var options: LogOptions {
        var options = LogOptions()
        options.sealBytes = 4_000
        return options
    }

    mutating func step() async throws {
        environment.clock.advance(by: UInt64.random(in: 0..<200_000, using: &random))
        switch Int.random(in: 0..<22, using: &random) {
        case 0..<7: try await append()
        case 7: try await appendTogether()
        case 8: try await repeatDelivery()
        case 9: try await seal()
        case 10: try await reopen()
        case 11: try await crash()
        case 12..<15: try scan()
        case 15: startReader()
        case 16...17: try await compact()
        default: try readPage()
        }
    }

    mutating func finish() async throws {
        while !readers.isEmpty { try readPage() }
        try await log.close()
        let report = try StoreReader.verify(
            dataDirectory, options: LogOptions(), environment: environment.on(disk), progress: { _ in })
        #expect(report.faults.isEmpty && report.lines == UInt64(reference.entries.count))
    }

    // MARK: Writing

    /// A batch around the present, now and then reaching far back.
    private mutating func batch() -> TestBatch {
        let isLate = random.oneIn(4)
        let present = nextNumber / 40
        let buckets = (0..<Int.random(in: 1...12, using: &random)).map { _ in
            isLate ? Int.random(in: 0...present, using: &random) : present + Int.random(in: 0...2, using: &random)
        }
        defer { nextNumber += buckets.count }
        return TestBatch(nextNumber, buckets: buckets.map { $0 * bucketStep }, key: random.oneIn(2) ? nextNumber : nil)
    }

    private mutating func append() async throws {
        let batch = batch()
        let outcome = try await log.append(batch.lines, delivery: batch.delivery)
        steps.append("append \(batch) at \(outcome.firstSequence.value)")
        take(batch, outcome)
    }

    /// Several appends in flight at once; the log decides on their order.
    private mutating func appendTogether() async throws {
        let batches = (0..<Int.random(in: 2...6, using: &random)).map { _ in batch() }
        steps.append("append together \(batches)")
        let log = log
        let outcomes = try await withThrowingTaskGroup(of: (TestBatch, AppendOutcome).self) { group in
            for batch in batches {
                group.addTask { (batch, try await log.append(batch.lines, delivery: batch.delivery)) }
            }
            var all: [(TestBatch, AppendOutcome)] = []
            for try await one in group { all.append(one) }
            return all
        }
        for (batch, outcome) in outcomes.sorted(by: { $0.1.firstSequence < $1.1.firstSequence }) {
            take(batch, outcome)
        }
    }

    private mutating func take(_ batch: TestBatch, _ outcome: AppendOutcome) {
        #expect(outcome.accepted == batch.events.count && outcome.discarded == 0 && !outcome.isRepeat)
        reference.append(batch.events, firstSequence: outcome.firstSequence)
        if batch.delivery != nil { delivered.append((batch, outcome.firstSequence)) }
    }

    private mutating func repeatDelivery() async throws {
        guard let (batch, first) = delivered.randomElement(using: &random) else { return }
        steps.append("repeat \(batch)")
        let outcome = try await log.append(batch.lines, delivery: batch.delivery)
        #expect(outcome.isRepeat && outcome.firstSequence == first && outcome.accepted == batch.events.count)
    }

    private mutating func seal() async throws {
        steps.append("seal")
        try await log.seal()
    }

    private mutating func reopen() async throws {
        steps.append("close, open")
        try await log.close()
        log = try EventLog.open(dataDirectory, options: Self.options, environment: environment.on(disk))
        #expect(log.report.faults.isEmpty)
    }

    /// Some of the sealed segments, of whatever kind, become cold ones.
    private mutating func compact() async throws {
        try await log.close()
        var hand = HandCompaction(disk: disk, environment: environment)
        hand.blockLines = Int.random(in: 1...12, using: &random)
        hand.segmentLines = random.oneIn(3) ? Int.random(in: 20...60, using: &random) : .max
        let isPart = random.oneIn(2)
        let numbers = try hand.manifest().segments.map(\.segment).filter { _ in !isPart || random.oneIn(2) }
        steps.append("compact \(numbers.map(\.value)), blocks of \(hand.blockLines)")
        compacted += try hand.compact(Set(numbers)).count
        log = try EventLog.open(dataDirectory, options: Self.options, environment: environment.on(disk))
        #expect(log.report.faults.isEmpty)
        // After a power loss the files of segments that were replaced are back: their removal is not synced.
        #expect(log.report.notes.allSatisfy { $0.hasSuffix("it is removed") }, "\(log.report.notes)")
    }

    /// The process is killed, or the power goes with all that was not synced.
    private mutating func crash() async throws {
        let isPowerLoss = random.oneIn(2)
        steps.append(isPowerLoss ? "power loss" : "kill")
        let dead = log
        disk = disk.processCrash()
        if isPowerLoss { disk = disk.powerLoss(seed: random.next(), mode: .dropAll) }
        log = try EventLog.open(dataDirectory, options: Self.options, environment: environment.on(disk))
        try? await dead.close()
    }

    // MARK: Reading

    /// Everything about once in three, else from somewhere to somewhere.
    private mutating func request() -> ScanRequest {
        let buckets = reference.entries.map(\.event.bucket.milliseconds)
        let order: ScanRequest.Order = random.oneIn(2) ? .time : .arrival
        guard let a = buckets.randomElement(using: &random), let b = buckets.randomElement(using: &random),
            !random.oneIn(3)
        else { return ScanRequest(order: order) }
        return ScanRequest(range: min(a, b)...max(a, b), order: order)
    }

    private mutating func scan() throws {
        var request = request()
        if random.oneIn(2) { request.limit = Int.random(in: 1...100, using: &random) }
        if request.order == .arrival, random.oneIn(2) {
            request.after = reference.entries.randomElement(using: &random)?.sequence
        }
        steps.append("scan \(request)")
        let found = try readAll(log.snapshot(), request)
        let expected = reference.scan(
            request.range, order: request.order, limit: request.limit, after: request.after)
        guard found.events == expected else { throw Difference("\(request)", found.events, expected) }
        #expect(found.summary.faults.isEmpty)
        try expectMetadata(log.snapshot(), reference, request.range)
        try expectLast(log.snapshot(), reference)
        try expectLine(log.snapshot())
        try expectTag(of: request.range)
    }

    private mutating func expectLine(_ snapshot: LogSnapshot) throws {
        guard let entry = reference.entries.randomElement(using: &random) else { return }
        #expect(try snapshot.line(of: entry.sequence) == Array(entry.event.line.utf8))
        #expect(try snapshot.line(of: reference.lastSequence + 1) == nil)
    }

    /// Two tags of a range are equal exactly if its events were.
    private mutating func expectTag(of range: ClosedRange<UInt64>) throws {
        let tag = try log.snapshot().tag(of: range)
        let events = reference.scan(range, order: .arrival).count
        if let known = tags[range] { #expect((known.tag == tag) == (known.events == events)) }
        tags[range] = (tag, events)
    }

    private mutating func startReader() {
        let request = request()
        steps.append("start pages \(request)")
        readers.append(PageReader(request))
    }

    private mutating func readPage() throws {
        guard let index = readers.indices.randomElement(using: &random) else { return startReader() }
        let limit = Int.random(in: 1...60, using: &random)
        steps.append("page of \(limit) \(readers[index].request)")
        pagesRead += 1
        if try readers[index].readPage(of: limit, from: log.snapshot(), reference) { readers.remove(at: index) }
    }
}

/// Reads a scan page by page while the log goes on; all pages together are the log as it was at the
/// first one.
private struct PageReader {
    let request: ScanRequest
    /// What was there when the first page was read.
    private var expected: [ReadEvent] = []
    private var found: [ReadEvent] = []
    private var cursor: ScanCursor?

    init(_ request: ScanRequest) { self.request = request }

    /// Returns whether it was the last page.
    mutating func readPage(of limit: Int, from snapshot: LogSnapshot, _ reference: ReferenceLog) throws -> Bool {
        if cursor == nil { expected = reference.scan(request.range, order: request.order) }
        var page = request
        page.limit = limit
        page.cursor = cursor
        let (events, summary) = try readAll(snapshot, page)
        #expect(events.count <= limit && summary.lines == events.count && summary.isComplete)
        found += events
        guard expected.starts(with: found) else { throw Difference("pages of \(request)", found, expected) }
        guard let next = summary.cursor else {
            guard found == expected else { throw Difference("all pages of \(request)", found, expected) }
            return true
        }
        cursor = ScanCursor(text: next.text)
        #expect(cursor == next)
        return false
    }
}
