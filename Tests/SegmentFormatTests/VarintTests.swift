import Testing

@testable import SegmentFormat

@Suite("Varints")
struct VarintTests {
    /// 0, and around each power of 128 and of 2.
    static let boundaries: [UInt64] = (0..<64).flatMap { (bit: UInt64) -> [UInt64] in
        let power: UInt64 = 1 << bit
        return [power - 1, power, power + 1, ~power]
    }

    @Test("every boundary comes back, in as few bytes as can be")
    func roundTrip() {
        for value in Self.boundaries {
            var writer = ByteWriter()
            writer.putVarint(value)
            #expect(writer.bytes.count == max(1, (64 - value.leadingZeroBitCount + 6) / 7))
            #expect(Self.read(writer.bytes) == .success(value))
        }
    }

    @Test(
        "needless zeros, values beyond 64 bits and cut off ends are refused",
        arguments: [
            [], [0x80], [0x80, 0x00], [0xFF, 0x80, 0x00], [UInt8](repeating: 0xFF, count: 9),
            [UInt8](repeating: 0xFF, count: 9) + [0x02], [UInt8](repeating: 0xFF, count: 9) + [0x81],
            [UInt8](repeating: 0x80, count: 9) + [0x00], [UInt8](repeating: 0xFF, count: 10) + [0x01],
            [UInt8](repeating: 0x80, count: 10) + [0x01], [UInt8](repeating: 0x80, count: 64),
        ] as [[UInt8]])
    func refused(_ bytes: [UInt8]) {
        #expect(Self.read(bytes) == .failure(FormatFault(.runs, at: 100)))
    }

    private static func read(_ bytes: [UInt8]) -> Result<UInt64, FormatFault> {
        bytes.decoded { (bytes) throws(FormatFault) in
            var reader = ByteReader(bytes, at: 100, clause: .runs)
            let value = try reader.varint()
            try reader.finished()
            return value
        }
    }
}
