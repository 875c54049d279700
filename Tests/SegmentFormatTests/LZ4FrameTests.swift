import Glibc
import TestSupport
import Testing

@testable import SegmentFormat

@Suite("LZ4 frames")
struct LZ4FrameTests {
    static let step = FormatBounds.lz4BlockBytes
    static let lengths =
        [0, 1, 2, 12, 13, 100, 1 << 20] + [step - 1, step, step + 1, 2 * step, 2 * step + 7]

    @Test("content of any length comes back", arguments: lengths)
    func roundTrip(_ length: Int) {
        for content in [Self.text(length), Self.noise(length)] {
            let frame = Self.encode(content)
            #expect(frame.count <= length + 23 + 4 * (length / Self.step + 1))
            #expect(Self.verify(frame, length) == .success(content))
        }
    }

    @Test("text gets smaller; noise is kept as it is")
    func sizes() {
        #expect(Self.encode(Self.text(1 << 20)).count < 1 << 19)
        #expect(Self.encode(Self.noise(Self.step)).count == 15 + 4 + Self.step + 8)
    }

    @Test("a slice is the same bytes wherever it begins and ends")
    func slices() throws {
        let content = Self.text(2 * Self.step + 900)
        let frame = Self.encode(content)
        let around = [0, Self.step, 2 * Self.step, content.count].flatMap { [$0 - 2, $0 - 1, $0, $0 + 1, $0 + 700] }
        let ends = around.filter { (0...content.count).contains($0) }
        for start in ends {
            for end in ends where end > start {
                let slice = try Self.slice(frame, content.count, start..<end).get()
                #expect(slice.elementsEqual(content[start..<end]), "\(start)..<\(end)")
            }
        }
    }

    @Test("a slice reads none of the LZ4 blocks around it")
    func partIsEnough() throws {
        let content = Self.text(3 * Self.step)
        var frame = Self.encode(content)
        let range = Self.step + 5..<Self.step + 50
        let layout = try Self.layout(frame, content.count).get()
        for index in 0..<frame.count where !layout.frameRange(range).contains(index) { frame[index] = 0xAA }
        let part = Array(frame[layout.frameRange(range)])
        let output = part.decoded { (part) throws(FormatFault) in
            try Self.decode(part, of: layout, content.count, range)
        }
        #expect(try output.get().elementsEqual(content[range]))
    }

    @Test("cut off anywhere, or with any bit turned over, a frame is refused or decodes to itself")
    func damaged() {
        let content = Self.text(300)
        let frame = Self.encode(content)
        for count in 0..<frame.count { #expect(Self.verify(Array(frame[..<count]), 300).fault != nil) }
        for bit in 0..<frame.count * 8 {
            var bytes = frame
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(Self.verify(bytes, 300).value ?? content == content, "bit \(bit)")
        }
        #expect(Self.verify(frame + [0], 300).fault?.clause == .dataFrame)
    }

    @Test("garbage in the blocks never reads or writes outside of its buffers", arguments: 1...200)
    func garbage(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let length = Int.random(in: 1...150_000, using: &random)
        var frame = Self.encode(Self.text(length))
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            frame[Int.random(in: 15..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = Self.verify(frame, length)
        let start = Int.random(in: 0..<length, using: &random)
        _ = Self.slice(frame, length, start..<Int.random(in: start...length, using: &random))
    }

    @Test("the content size must be the one that is expected", arguments: [0, 99, 101, 1 << 22])
    func otherLength(_ length: Int) {
        #expect(Self.verify(Self.encode(Self.text(100)), length).fault == FormatFault(.dataDecode, at: 1_006))
    }

    @Test("the lz4 program reads what is written", arguments: [1, step + 1, 1 << 20])
    func program(_ length: Int) throws {
        guard access("/usr/bin/lz4", X_OK) == 0 else { return }
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/frame.lz4"
        #expect(FixtureFiles.write(path, Self.encode(Self.text(length))))
        #expect(try programOutput("/usr/bin/lz4 -dc \(path)") == Self.text(length))
    }
}

// MARK: - Content and calls

extension LZ4FrameTests {
    /// Lines that compress as events do.
    static func text(_ length: Int) -> [UInt8] {
        var random = SeededRandom(seed: UInt64(length))
        var bytes: [UInt8] = []
        while bytes.count < length {
            bytes += Array(#"{"timestamp":1795000000000,"n":\#(random.next() % 100_000)}"#.utf8) + [0x0A]
        }
        return Array(bytes[..<length])
    }

    static func noise(_ length: Int) -> [UInt8] {
        var random = SeededRandom(seed: UInt64(length) + 1)
        return (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    static func encode(_ content: [UInt8]) -> [UInt8] { content.withUnsafeBytes { LZ4Frame.encode($0) } }

    /// Decodes a frame that lies at offset 1,000 of its file, checking everything.
    static func verify(_ frame: [UInt8], _ length: Int) -> Result<[UInt8], FormatFault> {
        frame.decoded { (frame) throws(FormatFault) in
            let output = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
            defer { output.deallocate() }
            try LZ4Frame.verify(frame, at: 1_000, into: output)
            return Array(output)
        }
    }

    static func layout(_ frame: [UInt8], _ length: Int) -> Result<LZ4Frame.Layout, FormatFault> {
        frame.decoded { (frame) throws(FormatFault) in try LZ4Frame.layout(frame, at: 1_000, rawLength: length) }
    }

    static func slice(_ frame: [UInt8], _ length: Int, _ range: Range<Int>) -> Result<[UInt8], FormatFault> {
        frame.decoded { (frame) throws(FormatFault) in
            let layout = try LZ4Frame.layout(frame, at: 1_000, rawLength: length)
            let part = UnsafeRawBufferPointer(rebasing: frame[layout.frameRange(range)])
            return try decode(part, of: layout, length, range)
        }
    }

    /// Decodes between two guards, which must stay as they are.
    static func decode(
        _ part: UnsafeRawBufferPointer, of layout: LZ4Frame.Layout, _ length: Int, _ range: Range<Int>
    ) throws(FormatFault) -> [UInt8] {
        var output = [UInt8](repeating: 0x5A, count: range.count + 128)
        let result: Result<Void, FormatFault> = output.withUnsafeMutableBytes { all in
            let place = UnsafeMutableRawBufferPointer(rebasing: all[64..<64 + range.count])
            do throws(FormatFault) {
                return .success(
                    try LZ4Frame.decode(part, of: layout, at: 1_000, rawLength: length, range: range, into: place))
            } catch {
                return .failure(error)
            }
        }
        #expect(output.prefix(64).allSatisfy { $0 == 0x5A } && output.suffix(64).allSatisfy { $0 == 0x5A })
        try result.get()
        return Array(output[64..<64 + range.count])
    }
}
