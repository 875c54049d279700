import Glibc
import TestSupport
import Testing

@testable import SegmentFormat

@Suite("Zstandard frames")
struct ZstdFrameTests {
    /// On both sides of where the size field gets longer and where a new block of 128 KiB begins.
    static let lengths = [1, 2, 255, 256, 65_791, 65_792, 131_072, 131_073, 1 << 20, FormatBounds.blockRawBytes]

    @Test("content of any length comes back", arguments: lengths)
    func roundTrip(_ length: Int) {
        for content in [LZ4FrameTests.text(length), LZ4FrameTests.noise(length)] {
            let frame = Self.encode(content)
            #expect(frame.count <= FormatBounds.blockStoredBytes)
            #expect(Self.verify(frame, length) == .success(content))
        }
    }

    @Test("at every level a frame is one segment with a checksum, its size in the shortest field")
    func header() {
        let content = [UInt8](repeating: 0x20, count: FormatBounds.blockRawBytes)
        let headers: [(Int, [UInt8])] = [
            (1, [0x24, 1]), (255, [0x24, 255]), (256, [0x64, 0, 0]), (65_791, [0x64, 0xFF, 0xFF]),
            (65_792, [0xA4, 0, 1, 1, 0]), (1 << 20, [0xA4, 0, 0, 16, 0]), (content.count, [0xA4, 0, 0, 64, 0]),
        ]
        for level in ZstdEncoder.levels {
            let encoder = ZstdEncoder(level: level)
            for (length, header) in headers {
                let frame = content.withUnsafeBytes { encoder.encode(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
                #expect(frame.starts(with: [0x28, 0xB5, 0x2F, 0xFD] + header), "level \(level)")
            }
        }
    }

    @Test("a higher level makes less of the same lines")
    func levels() {
        let content = LZ4FrameTests.text(256 << 10)
        let sizes = [1, 6, 19].map { level in content.withUnsafeBytes { ZstdEncoder(level: level).encode($0).count } }
        #expect(sizes == sizes.sorted(by: >) && Set(sizes).count == 3)
    }

    @Test("an encoder makes the same frame of the same lines, whatever it made before")
    func deterministic() {
        let used = ZstdEncoder()
        for length in [300_000, 3, 70_000, 140_000, 70_000] {
            let content = LZ4FrameTests.text(length)
            #expect(content.withUnsafeBytes { used.encode($0) } == Self.encode(content))
        }
    }

    @Test("a slice is the same bytes wherever it begins and ends")
    func slices() throws {
        let content = LZ4FrameTests.text(140_000)
        let frame = Self.encode(content)
        let ends = [0, 1, 700, 65_536, 131_071, 131_072, 139_999, 140_000]
        for start in ends {
            for end in ends where end > start {
                let slice = try Self.decode(frame, content.count, start..<end).get()
                #expect(slice.elementsEqual(content[start..<end]), "\(start)..<\(end)")
            }
        }
    }

    @Test("cut off anywhere, or with any bit turned over, a frame is refused or decodes to itself")
    func damaged() {
        for content in [LZ4FrameTests.text(300), LZ4FrameTests.noise(40)] {
            let frame = Self.encode(content)
            for count in 0..<frame.count { #expect(Self.verify(Array(frame[..<count]), content.count).fault != nil) }
            for bit in 0..<frame.count * 8 {
                var bytes = frame
                bytes[bit / 8] ^= 1 << (bit % 8)
                #expect(Self.verify(bytes, content.count).value ?? content == content, "bit \(bit)")
            }
        }
    }

    @Test("garbage in the blocks never reads or writes outside of its buffers", arguments: 1...200)
    func garbage(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let length = Int.random(in: 1...300_000, using: &random)
        var frame = Self.encode(LZ4FrameTests.text(length))
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            frame[Int.random(in: 6..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        let start = Int.random(in: 0..<length, using: &random)
        for range in [0..<length, start..<Int.random(in: start + 1...length, using: &random)] {
            _ = Self.decode(frame, length, range)
            _ = Self.decodeUnchecked(frame, length, range)
        }
    }

    @Test("the content size must be the one that is expected", arguments: [1, 255, 257, 299, 301, 1 << 22])
    func otherLength(_ length: Int) {
        let fault = FormatFault(.dataDecode, at: 1_005)
        #expect(Self.verify(Self.encode(LZ4FrameTests.text(300)), length).fault == fault)
    }

    @Test("the zstd program reads what is written", arguments: [1, 131_073, 1 << 20])
    func program(_ length: Int) throws {
        guard access("/usr/bin/zstd", X_OK) == 0 else { return }
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/frame.zst"
        #expect(FixtureFiles.write(path, Self.encode(LZ4FrameTests.text(length))))
        #expect(try programOutput("/usr/bin/zstd -dcq \(path)") == LZ4FrameTests.text(length))
    }
}

// MARK: - Forged frames

extension ZstdFrameTests {
    /// A frame that breaks D3 or D4, and where it does so.
    struct Forgery: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let clause: Clause
        let offset: Int
        let frame: [UInt8]

        init(_ description: String, _ clause: Clause, at offset: Int, _ change: (inout ZstdForge) -> Void) {
            var forge = ZstdForge(Forgery.content)
            change(&forge)
            self.init(description, clause, at: offset, frame: forge.bytes)
        }

        init(_ description: String, _ clause: Clause, at offset: Int, frame: [UInt8]) {
            testDescription = description
            self.clause = clause
            self.offset = offset
            self.frame = frame
        }

        static let content = LZ4FrameTests.text(300)
        static let valid = ZstdForge(content).bytes
    }

    private static let headers = [
        Forgery("a skippable frame", .dataFrame, at: 0) { $0.magic = 0x184D_2A50 },
        Forgery("a frame of an older format", .dataFrame, at: 0) { $0.magic = 0xFD2F_B527 },
        Forgery("no content checksum", .dataFrame, at: 0) { ($0.descriptor, $0.checksum) = (0x60, []) },
        Forgery("no content size", .dataFrame, at: 0) { ($0.descriptor, $0.fields) = (0x04, [0x58]) },
        Forgery("a window of its own", .dataFrame, at: 0) { ($0.descriptor, $0.fields) = (0x44, [0x58] + $0.fields) },
        Forgery("a window of 2 GiB", .dataFrame, at: 0) { ($0.descriptor, $0.fields) = (0x44, [0xA8] + $0.fields) },
        Forgery("a dictionary", .dataFrame, at: 0) { ($0.descriptor, $0.fields) = (0x65, [7] + $0.fields) },
        Forgery("the reserved bit", .dataFrame, at: 0) { $0.descriptor = 0x6C },
        Forgery("the unused bit", .dataFrame, at: 0) { $0.descriptor = 0x74 },
        Forgery("a size of four bytes where two are enough", .dataFrame, at: 0) {
            ($0.descriptor, $0.fields) = (0xA4, [0x2C, 1, 0, 0])
        },
        Forgery("a size of eight bytes", .dataFrame, at: 0) {
            ($0.descriptor, $0.fields) = (0xE4, [0x2C, 1, 0, 0, 0, 0, 0, 0])
        },
    ]

    private static let ends = [
        Forgery("no last block", .dataFrame, at: 0) { $0.blocks[1].isLast = false },
        Forgery("a block of the reserved kind", .dataFrame, at: 0) { $0.blocks[0].kind = 3 },
        Forgery("a block that passes the end", .dataFrame, at: 0) { $0.blocks[1].size = 1_000 },
        Forgery("no room for the checksum", .dataFrame, at: 0) { $0.checksum.removeLast() },
        Forgery("a byte behind", .dataFrame, at: Forgery.valid.count, frame: Forgery.valid + [0]),
        Forgery("a second frame", .dataFrame, at: Forgery.valid.count, frame: Forgery.valid + Forgery.valid),
        Forgery(
            "a skippable frame behind", .dataFrame, at: Forgery.valid.count,
            frame: Forgery.valid + [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]),
    ]

    private static let contents = [
        Forgery("a size above the content's", .dataDecode, at: 5) { $0.stateSize(301) },
        Forgery("a size below the content's", .dataDecode, at: 5) { $0.stateSize(299) },
        Forgery("a size beyond every block's", .dataDecode, at: 5) {
            ($0.descriptor, $0.fields) = (0xA4, [0, 0, 0, 0x80])
        },
        Forgery("content that is too short", .dataDecode, at: 0) { $0.blocks[0].bytes.removeLast() },
        Forgery("content that is too long", .dataDecode, at: 0) { $0.blocks[0].bytes.append(0x20) },
        Forgery("content of a gigabyte", .dataDecode, at: 0) {
            let block = ZstdForge.Block(kind: 1, size: 131_072, bytes: [0x20])
            $0.blocks = Array(repeating: block, count: 8_192) + $0.blocks
        },
        Forgery("a compressed block of garbage", .dataDecode, at: 0) { $0.blocks[0].kind = 2 },
        Forgery("other content under the checksum", .dataDecode, at: Forgery.valid.count - 4) {
            $0.blocks[0].bytes[7] ^= 1
        },
        Forgery("another checksum", .dataDecode, at: Forgery.valid.count - 4) { $0.checksum[3] ^= 1 },
    ]

    @Test("what is no frame of D3, or not of its size and content, is refused", arguments: headers + ends + contents)
    func forged(_ forgery: Forgery) {
        let fault = FormatFault(forgery.clause, at: UInt64(1_000 + forgery.offset))
        #expect(Self.verify(forgery.frame, 300).fault == fault)
        #expect(Self.decode(forgery.frame, 300, 10..<20).fault == fault)
    }

    @Test("what they were forged from is taken, and so is a byte over and over")
    func forgedFrom() {
        #expect(Self.verify(Forgery.valid, 300) == .success(Forgery.content))
        let spaces = [UInt8](repeating: 0x20, count: 300)
        var forge = ZstdForge(spaces)
        forge.blocks = [ZstdForge.Block(isLast: true, kind: 1, size: 300, bytes: [0x20])]
        #expect(Self.verify(forge.bytes, 300) == .success(spaces))
    }
}

// MARK: - Calls

extension ZstdFrameTests {
    static func encode(_ content: [UInt8]) -> [UInt8] { content.withUnsafeBytes { ZstdEncoder().encode($0) } }

    /// Decodes a frame that lies at offset 1,000 of its file, checking everything.
    static func verify(_ frame: [UInt8], _ length: Int) -> Result<[UInt8], FormatFault> {
        decode(frame, length, 0..<length)
    }

    static func decode(_ frame: [UInt8], _ length: Int, _ range: Range<Int>) -> Result<[UInt8], FormatFault> {
        let check = frame.decoded { (frame) throws(FormatFault) in
            try ZstdFrame.check(frame, at: 1_000, rawLength: length)
        }
        return check.flatMap { decodeUnchecked(frame, length, range) }
    }

    /// Decodes between two guards, which must stay as they are.
    static func decodeUnchecked(
        _ frame: [UInt8], _ length: Int, _ range: Range<Int>
    ) -> Result<[UInt8], FormatFault> {
        var output = [UInt8](repeating: 0x5A, count: range.count + 128)
        let result: Result<Void, FormatFault> = output.withUnsafeMutableBytes { all in
            let place = UnsafeMutableRawBufferPointer(rebasing: all[64..<64 + range.count])
            return frame.decoded { (frame) throws(FormatFault) in
                try ZstdFrame.decode(frame, at: 1_000, rawLength: length, range: range, into: place)
            }
        }
        #expect(output.prefix(64).allSatisfy { $0 == 0x5A } && output.suffix(64).allSatisfy { $0 == 0x5A })
        return result.map { Array(output[64..<64 + range.count]) }
    }
}

/// What a program prints; it must end well.
func programOutput(_ command: String) throws -> [UInt8] {
    let output = try #require(popen(command, "r"))
    var content: [UInt8] = []
    while case let byte = fgetc(output), byte != EOF { content.append(UInt8(byte)) }
    #expect(pclose(output) == 0, "\(command)")
    return content
}
