import Glibc
import Testing

@testable import SegmentFormat

@Suite("A cold segment")
struct ColdSegmentTests {
    private static let path = FixtureFiles.path(ColdSegment.fixture)
    private static let number = ColdSegment.head.segment

    private func fixture() throws -> [UInt8] { try #require(FixtureFiles.read(Self.path), "no \(Self.path)") }

    @Test("the fixture is what the code here makes, but for what another libzstd may make of the lines")
    func isMade() throws {
        if FixtureFiles.isWriting { #expect(FixtureFiles.write(Self.path, ColdSegment.segment.sealed())) }
        let bytes = try fixture()
        var segment = ColdSegment.segment
        var next = 0
        let fault = firstFault(inSegment: bytes, number: Self.number) { (_, data) throws(FormatFault) in
            guard !data.isEmpty else { return }
            segment.replaceData(ofBlock: next, with: Array(data))
            next += 1
        }
        #expect(fault == nil && next == 4)
        #expect(segment.sealed() == bytes)
    }

    @Test("it holds the day by time, with the sequence of each line, and what it replaces")
    func content() throws {
        let bytes = try fixture()
        #expect(bytes.decoded(SegmentHead.decode).value?.head == ColdSegment.head)
        var text = ""
        var sequences: [Sequence] = []
        var arrangements: [Bool] = []
        let fault = firstFault(inSegment: bytes, number: Self.number) { (meta, data) throws(FormatFault) in
            text += try ColdBlockTests.text(data, meta, 0..<meta.rawLength)
            sequences += ColdBlockTests.sequences(meta)
            arrangements.append(meta.arrangement == .arrival)
        }
        #expect(fault == nil)
        #expect(text == ColdSegment.lines.map(\.text).joined())
        #expect(sequences == ColdSegment.lines.map(\.sequence))
        #expect(arrangements == [false, false, false, true, true])
    }

    @Test("its seal has the lowest sequence of all blocks, not of the first, and both kinds of deliveries")
    func seal() throws {
        let bytes = try fixture()
        let length = try #require(bytes.suffix(Seal.tailByteCount).withUnsafeBytes { Seal.frameLength(tail: $0) })
        let offset = UInt64(bytes.count - length)
        let seal = try Array(bytes.suffix(length)).decoded { (bytes) throws(FormatFault) in
            try Seal.decode(bytes, at: offset, segment: Self.number, salt: ColdSegment.head.salt)
        }.get()
        #expect(seal.totals.firstSequence == .first && seal.index[0].firstSequence == Sequence(2))
        #expect(seal.totals.nextSequence == Sequence(22) && seal.totals.lines == 18 && seal.totals.blocks == 5)
        #expect(seal.keyed.count == 3 && seal.sourced.count == 2)
        #expect(
            seal.fileHash == Array(bytes[..<Int(offset)]).withUnsafeBytes { xxh3Wide($0, seed: 0xC01D_C01D_C01D_C01D) })
    }

    /// What is wrong with the segment as a sealed one.
    private func fault(_ bytes: [UInt8]) -> FormatFault? {
        let end = bytes.suffix(Seal.tailByteCount).withUnsafeBytes { Seal.frameLength(tail: $0) }
        return firstFault(inSegment: bytes, number: Self.number)
            ?? (end == nil ? FormatFault(.sealEnd, at: UInt64(bytes.count)) : nil)
    }

    @Test("cut off anywhere it is refused")
    func truncated() throws {
        let bytes = try fixture()
        #expect(fault(bytes) == nil)
        for count in 0..<bytes.count { #expect(fault(Array(bytes[..<count])) != nil, "cut at \(count)") }
    }

    @Test("with any one bit turned over it is refused")
    func flipped() throws {
        var bytes = try fixture()
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(fault(bytes) != nil, "bit \(bit) was taken")
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }

    @Test("the zstd program accepts it, and prints its events")
    func program() throws {
        guard access("/usr/bin/zstd", X_OK) == 0 else { return }
        #expect(try programOutput("/usr/bin/zstd -tq '\(Self.path)'").isEmpty)
        let text = try programOutput("/usr/bin/zstdcat '\(Self.path)'")
        #expect(String(decoding: text, as: UTF8.self) == ColdSegment.lines.map(\.text).joined())
    }
}
