import TestSupport
import Testing

@testable import SegmentFormat

@Suite("Key index and filter")
struct KeyIndexTests {
    private static func pairs(_ count: Int, seed: UInt64) -> [(hash: UInt64, block: Int)] {
        var random = SeededRandom(seed: seed)
        let hashes = (0..<max(count / 3, 1)).map { _ in random.next() }
        return (0..<count).map { _ in
            (hashes[Int.random(in: 0..<hashes.count, using: &random)], Int.random(in: 0..<500, using: &random))
        }
    }

    @Test("each key finds its blocks, rising and each once", arguments: [0, 1, 2, 100, 3_000])
    func find(count: Int) {
        let pairs = Self.pairs(count, seed: UInt64(count))
        let index = KeyIndex(pairs + pairs.reversed())
        for hash in Set(pairs.map(\.hash)) {
            let expected = Set(pairs.filter { $0.hash == hash }.map(\.block)).sorted()
            #expect(index.blocks(of: hash) == expected)
            #expect(index.filter.mayHold(hash))
        }
        for hash in [0, .max, 1 << 63] as [UInt64] { #expect(index.blocks(of: hash).isEmpty) }
    }

    @Test("the filter lets one absent key in a hundred pass, about, and none where it is empty")
    func filter() {
        let index = KeyIndex(Self.pairs(30_000, seed: 1))
        var random = SeededRandom(seed: 2)
        let passed = (0..<20_000).count { _ in index.filter.mayHold(random.next()) }
        #expect(passed < 400)
        #expect(!KeyIndex.empty.filter.mayHold(7))
    }

    @Test("the bits of a key are those of Parquet's filter")
    func parquet() {
        // One block; of each word the bit is (low half × salt) >> 27.
        let filter = KeyIndex([(0xFFFF_FFFF_0000_0001, 0)]).filter
        let bits: [UInt32] = [8, 8, 17, 20, 14, 5, 19, 11]
        let words = stride(from: 0, to: 32, by: 4).map { start in
            filter.bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        #expect(words == bits.map { 1 << $0 })
    }

    @Test("a seal brings its keys back, and one without keys has no bytes for them")
    func seal() {
        var seal = FrameSample.sealValue
        let plain = seal.encoded(salt: FrameSample.salt)
        seal.keys = KeyIndex(Self.pairs(50, seed: 3).map { ($0.hash, $0.block % seal.index.count) })
        let bytes = seal.encoded(salt: FrameSample.salt)
        #expect(FrameSample.decodeSeal(bytes) == .success(seal))
        #expect(bytes.count == plain.count + 16 + seal.keys.entries.count + seal.keys.filter.bytes.count)
        let start = bytes.count - Seal.bytesBehindKeyIndex(seal.keys) - seal.keys.entries.count
        #expect(Array(bytes[start..<start + seal.keys.entries.count]) == seal.keys.entries)
    }

    @Test(
        "an index that does not rise, names no block or has no filter is refused by E1",
        arguments: ["order", "twice", "block", "length", "no filter", "no index", "filter length"])
    func hostile(what: String) {
        var writer = FrameWriter(.seal)
        func entry(_ hash: UInt64, _ block: UInt32, _ writer: inout ByteWriter) {
            writer.put(hash)
            writer.put(block)
        }
        if what != "no index" {
            writer.section(.keyIndex) { writer in
                entry(5, what == "block" ? 2 : 1, &writer)
                if what == "order" { entry(4, 0, &writer) }
                if what == "twice" { entry(5, 1, &writer) }
                if what == "length" { writer.put(UInt8(0)) }
            }
        }
        if what != "no filter" {
            writer.section(.keyFilter) { writer in
                for _ in 0..<(what == "filter length" ? 31 : 32) { writer.put(UInt8(0xFF)) }
            }
        }
        let bytes = writer.finish(salt: .none)
        let clause = bytes.withUnsafeBytes { bytes -> Clause? in
            do throws(FormatFault) {
                let sections = try Sections(
                    bytes, at: 0, kind: .seal, salt: .none, allowed: [.keyIndex, .keyFilter])
                _ = try KeyIndex.take(sections, blocks: 2)
                return nil
            } catch { return error.clause }
        }
        #expect(clause == .sealIndex)
    }
}

@Suite("Lines with keys")
struct KeyedBatchTests {
    private func batch(_ keys: [UInt64], bucket: (Int) -> UInt64 = { _ in 0 }) -> LineBatch {
        let batch = LineBatch()
        for (index, key) in keys.enumerated() {
            let line = Array("\(key)".utf8)
            line.withUnsafeBytes {
                batch.append($0, bucket: Bucket(milliseconds: bucket(index)), key: key)
            }
        }
        return batch
    }

    @Test("each block knows the keys of its lines, each once")
    func blocks() {
        let keys: [UInt64] = [3, 1, 3, 2]
        let contents = BlockContent.blocks(of: batch(keys) { UInt64([5, 4, 5, 4][$0]) })
        #expect(contents.map { $0.keys.sorted() } == [[1, 2, 3]])
        let large = LineBatch()
        for key in [UInt64(7), 8] {
            let line = [UInt8](repeating: 0x61, count: LineBatch.blockTarget - 10)
            line.withUnsafeBytes { large.append($0, bucket: .earliest, key: key) }
        }
        #expect(BlockContent.blocks(of: large).map(\.keys) == [[7], [8]])
    }

    @Test("keys stay with their lines when batches are joined and cut")
    func joined() {
        let all = LineBatch()
        all.append(contentsOf: batch([1, 2, 3]) { UInt64($0) })
        all.append(contentsOf: batch([4, 5]) { UInt64($0) })
        #expect(all.keys == [1, 2, 3, 4, 5])
        let kept = all.dropping(before: Bucket(milliseconds: 1)).kept
        #expect(kept.keys == [2, 3, 5])
        #expect(BlockContent.blocks(of: kept).flatMap(\.keys).sorted() == [2, 3, 5])
    }
}
