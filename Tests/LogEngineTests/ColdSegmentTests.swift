import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Cold segments")
struct ColdSegmentTests {
    private static let day = Bucket.ofTest(0).day
    private let disk = VirtualDisk()
    private let environment = TestEnvironment()
    private let layout = Layout(data: dataDirectory, stream: .interactions)

    init() {
        for path in ["/data", "/data/interactions", "/data/interactions/cold", "/data/interactions/tmp"] {
            disk.makeDurableDirectory(path)
        }
    }

    private func head(_ number: UInt64) -> SegmentHead {
        SegmentHead(
            store: StoreID(1), segment: SegmentNumber(number), salt: Salt(number), stream: .interactions,
            resolution: .tenMinutes, created: 0, horizon: .earliest, replaced: [SegmentNumber(1), SegmentNumber(2)])
    }

    private func block(_ lines: [(sequence: UInt64, bucket: Int)]) -> (meta: BlockMeta, data: [UInt8]) {
        HandCompaction.block(
            lines.map { line in
                HandCompaction.Line(
                    bucket: .ofTest(line.bucket), sequence: Sequence(line.sequence),
                    bytes: Array("\(line.sequence)".utf8))
            })
    }

    @Test("what was written is found in its place: head, blocks, seal and hash")
    func written() throws {
        let writer = try ColdSegmentWriter(
            head(7), day: UInt32(Self.day), at: layout.place(ofCold: SegmentNumber(7), day: UInt32(Self.day)), disk)
        var first = block([(5, 1), (9, 1), (2, 2)])
        first.meta.keyed = [
            KeyedDelivery(
                key: Hash128(low: 1, high: 2), fingerprint: Hash128(low: 3, high: 4),
                outcome: DeliveryOutcome(firstSequence: Sequence(2), accepted: 1, discarded: 0, time: 600_000))
        ]
        let second = block([(4, 2), (3, 3)])
        try writer.append(first.meta, first.data)
        try writer.append(second.meta, second.data)
        #expect(writer.totals.firstSequence == Sequence(2) && writer.totals.nextSequence == Sequence(10))
        let source = SourceDelivery(
            source: SourceEpoch(source: Hash128(low: 5, high: 6), epoch: 7), number: 8,
            outcome: first.meta.keyed[0].outcome)
        let entry = try writer.seal(sources: [source], sealed: 1_200_000)
        #expect(disk.paths == ["/data/interactions/tmp/00000000000000000007.ndjson.zst"])
        try writer.publish()
        let path = "/data/interactions/cold/2026-11-18/00000000000000000007.ndjson.zst"
        #expect(disk.paths == [path] && layout.path(of: entry) == path)
        #expect(disk.modificationTime(path) == 1_200_000)
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).contents(path) == disk.contents(path), "after a power loss")

        let dump = try SegmentDump.read(path, environment: environment.on(disk))
        #expect(dump.faults.isEmpty && dump.head == head(7) && dump.blocks.map(\.meta.lines) == [3, 2])
        #expect(dump.blocks.map(\.meta.commit.value) == [1, 2])
        let seal = try #require(dump.seal)
        #expect(seal.keyed == first.meta.keyed && seal.sourced == [source])
        #expect(entry.length == dump.length && entry.length == writer.length && entry.deliveries == 1)
        #expect(entry.day == UInt32(Self.day) && entry.sealed == 1_200_000 && entry.lines == 5 && entry.blocks == 2)
        let bytes = try #require(disk.contents(path))
        #expect(bytes.withUnsafeBytes { xxh3Wide($0, seed: 7) } == entry.fileHash)
    }

    // MARK: - C1 and C2

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// First and last bucket of each block.
        let buckets: [ClosedRange<Int>]
        /// Counted from that of bucket 0.
        var day = 0
        var sequences: [UInt64] = [1, 2, 3]
        var blocksInCommit = 1
        var faults: [Clause] = []
    }

    private static let cases = [
        Case(testDescription: "buckets that rise", buckets: [0...1, 2...3, 4...4]),
        Case(testDescription: "neighbours share a bucket", buckets: [0...1, 1...1, 1...2]),
        Case(testDescription: "sequences fall", buckets: [0...1, 1...2], sequences: [9, 3]),
        Case(testDescription: "a bucket falls back", buckets: [0...2, 1...3], faults: [.commitSequence]),
        Case(testDescription: "the day before", buckets: [140...144], day: 1, faults: [.commitSequence]),
        Case(testDescription: "the day after", buckets: [0...1, 1...150], faults: [.commitSequence]),
        Case(
            testDescription: "two blocks in a commit", buckets: [0...1, 2...2], blocksInCommit: 2,
            faults: [.commitOrder]),
    ]

    @Test("the blocks of a cold segment lie in order of time and of its day, each a commit", arguments: cases)
    func order(_ story: Case) {
        var survey = SegmentSurvey(
            kind: .cold(day: UInt32(Self.day + story.day)), head: head(7), headEnd: 100, length: 100)
        for (index, buckets) in story.buckets.enumerated() {
            let commit = CommitNumber(UInt64(index / story.blocksInCommit + 1))
            var meta = BlockMeta(
                segment: SegmentNumber(7), commit: commit, indexInCommit: index % story.blocksInCommit,
                blocksInCommit: story.blocksInCommit, nextSequence: Sequence(story.sequences[index]), keyed: [],
                sourced: [])
            meta.lines = 1
            meta.runs = [buckets.lowerBound, buckets.upperBound].map {
                Run(bucket: .ofTest($0), lines: 1, bytes: 1)
            }
            survey.blocks.append(
                SurveyedBlock(
                    entry: BlockIndexEntry(meta, offset: survey.length, metaLength: 100),
                    indexInCommit: meta.indexInCommit, blocksInCommit: meta.blocksInCommit, keyed: [], sourced: [],
                    hasGoodData: true))
            survey.length += 100
        }
        #expect(CommitAnalysis(survey, knownLength: survey.length).corruption.map(\.clause) == story.faults)
    }

    @Test("nothing of a cold segment is torn: what is bad at its end is corruption")
    func notTorn() {
        var survey = SegmentSurvey(kind: .cold(day: nil), head: head(7), headEnd: 100, length: 200)
        survey.faults = [FormatFault(.frameChecksum, at: 100)]
        let analysis = CommitAnalysis(survey)
        #expect(analysis.tornBytes == 0 && analysis.corruption == survey.faults)
    }

    // MARK: - Names

    @Test("days have the names that the calendar gives them")
    func dayNames() {
        let known: [(UInt32, String)] = [
            (0, "1970-01-01"), (58, "1970-02-28"), (59, "1970-03-01"), (789, "1972-02-29"), (790, "1972-03-01"),
            (10_956, "1999-12-31"), (10_957, "2000-01-01"), (11_016, "2000-02-29"), (20_778, "2026-11-21"),
            (47_541, "2100-03-01"), (47_540, "2100-02-28"), (2_932_896, "9999-12-31"), (2_932_897, "10000-01-01"),
        ]
        for (day, name) in known { #expect(DayName.text(day) == name && DayName.day(name) == day, "\(name)") }
    }

    @Test("each day has a name of its own, the next one's is next, and nothing else is a day's name")
    func dayNamesAreOne() {
        var last = ""
        for day in 0..<150_000 as Range<UInt32> {
            let name = DayName.text(day)
            #expect(name > last && DayName.day(name) == day)
            last = name
        }
        #expect(DayName.day(DayName.text(.max)) == .max)
        let wrong = [
            "", "2026", "2026-11", "2026-11-31", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "2026-11-21-",
            "1969-12-31", "+2026-11-21", "2026-11-2x", "02026-11-21", "11768000-01-01",
        ]
        for name in wrong { #expect(DayName.day(name) == nil, "\(name)") }
    }

    @Test("a cold segment is known by its path, and its day by its directory's name")
    func paths() {
        let path = layout.coldSegment(SegmentNumber(17), day: 20_778)
        #expect(path == "/data/interactions/cold/2026-11-21/00000000000000000017.ndjson.zst")
        func isCold(_ path: String, _ day: UInt32?) -> Bool {
            Layout.segment(at: path).map { $0.number == SegmentNumber(17) && $0.kind == .cold(day: day) } ?? false
        }
        #expect(isCold(path, 20_778))
        #expect(isCold("00000000000000000017.ndjson.zst", nil) && isCold("/x/00000000000000000017.ndjson.zst", nil))
        #expect(Layout.segment(at: layout.hotSegment(SegmentNumber(3)))?.kind == .hot)
        for name in ["0017.ndjson.zst", "00000000000000000000.ndjson.zst", "00000000000000000017.ndjson", ""] {
            #expect(Layout.segment(at: name) == nil)
        }
    }
}
