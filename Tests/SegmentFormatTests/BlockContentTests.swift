import TestSupport
import Testing

@testable import SegmentFormat

@Suite("The content of blocks")
struct BlockContentTests {
    @Test("lines in order of time stay as they came, and need no column")
    func ordered() throws {
        let lines: [(String, Bucket)] = [("a", .ofHour(1)), ("b", .ofHour(1)), ("c", .ofHour(4)), ("d", .ofHour(4))]
        let block = try #require(BlockContent.blocks(of: LineBatch(lines)).first)
        #expect(block.arrangement == .arrival)
        #expect(block.runs.map(\.lines) == [2, 2])
        #expect(Self.text(block) == "a\nb\nc\nd\n")
    }

    @Test("runs are by bucket, then by sequence, as a plain stable sort has it", arguments: 1...40)
    func model(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let lines = LineBatchTests.lines(Int.random(in: 1...300, using: &random), &random)
        var first = 0
        for block in BlockContent.blocks(of: LineBatch(lines)) {
            let part = Array(lines[first..<first + block.lines].enumerated())
            let sorted = part.sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }
            #expect(Self.text(block) == sorted.map { $0.element.0 + "\n" }.joined())
            #expect(Self.sequences(block) == sorted.map { UInt64($0.offset) })
            #expect(block.runs.map(\.bucket) == Set(part.map(\.element.1)).sorted())
            first += block.lines
        }
        #expect(first == lines.count)
    }

    @Test("a block is decoded as it was made: meta, column, lines", arguments: 1...20)
    func decodes(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var segment = SegmentBuilder(WorkedExample.head)
        for _ in 0..<3 {
            let lines = LineBatchTests.lines(Int.random(in: 1...80, using: &random), &random)
            segment.commit([LineBatch(lines)])
        }
        #expect(firstFault(inSegment: segment.sealed()) == nil)
        for block in segment.blocks {
            let bytes = block.meta.encoded(salt: WorkedExample.head.salt)
            let decoded = bytes.decoded { (bytes) throws(FormatFault) in
                try BlockMeta.decode(bytes, at: 0, segment: SegmentNumber(1), salt: WorkedExample.head.salt).meta
            }
            #expect(decoded == .success(block.meta))
        }
    }

    @Test("the same lines give the same bytes")
    func deterministic() {
        var random = SeededRandom(seed: 3)
        let lines = LineBatchTests.lines(200, &random)
        let (first, again) = (BlockContent.blocks(of: LineBatch(lines)), BlockContent.blocks(of: LineBatch(lines)))
        #expect(first.map(\.data) == again.map(\.data))
        #expect(first.map(\.dataHash) == again.map(\.dataHash))
    }

    private static func text(_ block: BlockContent) -> String {
        String(decoding: (try? LZ4FrameTests.verify(block.data, block.rawLength).get()) ?? [], as: UTF8.self)
    }

    private static func sequences(_ block: BlockContent) -> [UInt64] {
        guard case .perLine(let offsets) = block.arrangement else { return (0..<UInt64(block.lines)).map { $0 } }
        return offsets
    }
}
