import TestSupport
import Testing

@testable import SegmentFormat

@Suite("Batches of lines")
struct LineBatchTests {
    @Test("lines lie one behind the other, each ended by LF, in stretches of equal bucket")
    func stretches() {
        let batch = LineBatch([("a", .ofHour(2)), ("bb", .ofHour(2)), ("", .ofHour(1)), ("c", .ofHour(2))])
        #expect(Array(batch.bytes) == Array("a\nbb\n\nc\n".utf8))
        #expect(
            batch.stretches == [
                Run(bucket: .ofHour(2), lines: 2, bytes: 5), Run(bucket: .ofHour(1), lines: 1, bytes: 1),
                Run(bucket: .ofHour(2), lines: 1, bytes: 2),
            ])
        #expect((batch.lineCount, batch.byteCount, batch.blockCount) == (4, 8, 1))
        #expect(batch.earliest == .ofHour(1))
    }

    @Test("an empty batch has no block")
    func empty() {
        let batch = LineBatch(capacity: 0)
        #expect(batch.isEmpty && batch.blockCount == 0 && batch.bytes.isEmpty && batch.earliest == .latest)
        #expect(BlockContent.blocks(of: batch).isEmpty)
    }

    @Test("a refused line leaves the batch as it was")
    func refused() {
        struct Refusal: Error {}
        let batch = LineBatch([("a", .ofHour(1))])
        #expect(throws: Refusal.self) {
            try batch.append(maximumBytes: 100_000) { place throws(Refusal) in
                place.storeBytes(of: 0x62, as: UInt8.self)
                throw Refusal()
            }
        }
        #expect(Array(batch.bytes) == Array("a\n".utf8))
        #expect(batch.lineCount == 1)
    }

    @Test("a block ends before the line that would take it past 1 MiB; one bucket may go on in the next")
    func blocks() {
        let half = String(repeating: "x", count: LineBatch.blockTarget / 2 - 1)
        let batch = LineBatch((0..<5).map { _ in (half, Bucket.ofHour(1)) })
        #expect(batch.blockCount == 3)
        #expect((0..<3).map { batch.block($0).bytes.count } == [2, 2, 1].map { $0 * LineBatch.blockTarget / 2 })
        #expect((0..<3).map { batch.block($0).stretches.map(\.lines) } == [[2], [2], [1]])
    }

    @Test("a line of more than 1 MiB stands alone")
    func longLine() {
        let long = String(repeating: "y", count: LineBatch.blockTarget + 5)
        let batch = LineBatch([("a", .ofHour(1)), (long, .ofHour(1)), ("b", .ofHour(1))])
        #expect((0..<batch.blockCount).map { batch.block($0).bytes.count } == [2, long.utf8.count + 1, 2])
    }

    @Test("dropping before a horizon keeps the lines at it and behind, in order")
    func dropping() {
        let batch = LineBatch([("a", .ofHour(3)), ("b", .ofHour(1)), ("c", .ofHour(2)), ("d", .ofHour(1))])
        let (kept, dropped) = batch.dropping(before: .ofHour(2))
        #expect(Array(kept.bytes) == Array("a\nc\n".utf8))
        #expect(dropped == 2)
        #expect(batch.dropping(before: .ofHour(9)).kept.isEmpty)
        #expect(batch.dropping(before: .earliest).dropped == 0)
    }

    @Test("a batch appended to another is its lines appended", arguments: 1...8)
    func appending(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let packed = LineBatch()
        let oneByOne = LineBatch()
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let lines = Self.lines(Int.random(in: 0...150, using: &random), &random)
            packed.append(contentsOf: LineBatch(lines))
            for line in lines { oneByOne.append(contentsOf: LineBatch([line])) }
        }
        #expect(packed.bytes.elementsEqual(oneByOne.bytes))
        #expect((packed.lineCount, packed.blockCount) == (oneByOne.lineCount, oneByOne.blockCount))
        #expect(packed.stretches == oneByOne.stretches)
    }

    /// Lines of a few buckets, some of them long.
    static func lines(_ count: Int, _ random: inout SeededRandom) -> [(String, Bucket)] {
        (0..<count).map { number in
            let length = Int.random(in: 0...(random.oneIn(20) ? 60_000 : 40), using: &random)
            let bucket = Bucket.ofHour(UInt64.random(in: 0...3, using: &random))
            return ("\(number)" + String(repeating: "z", count: length), bucket)
        }
    }
}
