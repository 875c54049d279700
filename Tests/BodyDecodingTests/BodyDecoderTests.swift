import BodyDecoding
import TestSupport
import Testing

@Suite("content codings")
struct BodyDecoderTests {
    private static let raw = Array(
        (0..<4_000).map { #"{"timestamp":\#(1_361_407_200_000 + $0 * 977)}"# + "\n" }.joined().utf8)
    /// Does not shrink.
    private static let noise: [UInt8] = {
        var random = SeededRandom(seed: 3)
        return (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    }()

    @Test("names are those of the registry, in any case, and lz4")
    func names() {
        let tokens = ["gzip", "x-gzip", "GZip", "lz4", "zstd", "X-GZIP", "", "br", "deflate", "identity", "gzip "]
        #expect(
            tokens.map(BodyCoding.init(token:)) == [.gzip, .gzip, .gzip, .lz4, .zstd, .gzip, nil, nil, nil, nil, nil])
    }

    @Test("a body comes out whole, however it is cut", arguments: BodyCoding.allCases)
    func roundTrip(coding: BodyCoding) throws {
        for raw in [[], [0x0A], Self.raw, Self.noise] {
            let body = Encoder.encode(raw, coding)
            for (piece, room) in [(1 << 30, 1 << 16), (977, 1 << 16), (1, 4_096), (1 << 16, 1_000), (4_096, 1 << 20)] {
                let decoded = try BodyDecoder.decode(body, coding, pieceBytes: piece, roomBytes: room)
                #expect(decoded == raw, "\(raw.count) bytes in pieces of \(piece) into rooms of \(room)")
            }
        }
    }

    @Test(
        "LZ4 frames may have any block size, linked blocks, a size and checksums", arguments: Encoder.LZ4Form.allCases)
    func lz4Forms(form: Encoder.LZ4Form) throws {
        let raw = Self.raw + Self.noise + Self.raw
        let body = Encoder.lz4(raw, form)
        for piece in [1 << 30, 1_000] {
            #expect(try BodyDecoder.decode(body, .lz4, pieceBytes: piece) == raw)
        }
    }

    @Test(
        "LZ4 content that is not what its checksum says is refused, with checksums of blocks and without them",
        arguments: [true, false])
    func checksums(checksBlocks: Bool) throws {
        // It lies in the frame as it is.
        let body = Encoder.lz4(Array(Self.noise[..<2_000]), Encoder.LZ4Form(checksBlocks: checksBlocks))
        let frames = Encoder.lz4([], Encoder.LZ4Form(checksBlocks: false)) + Encoder.skippable(3) + body
        for place in [1_000, 1_999, body.count - 4, body.count - 1] {
            for piece in [1 << 30, 1, 3] {
                var damaged = frames
                damaged[frames.count - body.count + place] ^= 1
                #expect(Self.fault(damaged, .lz4, pieceBytes: piece)?.kind == .corrupt)
            }
        }
        #expect(try BodyDecoder.decode(frames, .lz4) == Array(Self.noise[..<2_000]))
    }

    @Test("frames may follow one another, and skippable ones too", arguments: BodyCoding.allCases)
    func concatenated(coding: BodyCoding) throws {
        let between = coding == .gzip ? [] : Encoder.skippable(9)
        let frames = [Self.raw, [], Self.noise, [0x0A]].map { Encoder.encode($0, coding) }
        let body = between + frames[0] + frames[1] + between + between + frames[2] + frames[3] + between
        for piece in [1 << 30, 1, 333] {
            let decoded = try BodyDecoder.decode(body, coding, pieceBytes: piece)
            #expect(decoded == Self.raw + Self.noise + [0x0A])
        }
        let many = Array([[UInt8]](repeating: frames[1], count: 1_000).joined())
        #expect(try BodyDecoder.decode(many, coding) == [])
    }

    @Test("a body that ends anywhere within a frame is truncated", arguments: BodyCoding.allCases)
    func truncated(coding: BodyCoding) throws {
        let small = Encoder.encode(Array(Self.raw[..<1_000]), coding)
        for body in [small, small + small] {
            for count in 0..<body.count where count != small.count {
                let fault = Self.fault(Array(body[..<count]), coding)
                #expect(fault?.kind == .truncated && fault?.offset ?? .max <= count, "\(count) of \(body.count)")
            }
        }
    }

    @Test(
        "what follows the last frame is refused at its byte", arguments: BodyCoding.allCases,
        [
            [0], [0x0A], [0x1F, 0x8C], [0x04, 0x22, 0x4D, 0x19], Array("{}".utf8), [0x28, 0xB5, 0x2F, 0xFE],
            [0x5B, 0x2A, 0],
        ])
    func trailing(coding: BodyCoding, garbage: [UInt8]) {
        let body = Encoder.encode(Self.raw, coding)
        for piece in [1 << 30, 1] {
            let fault = Self.fault(body + garbage, coding, pieceBytes: piece)
            #expect(fault?.kind == .trailing && fault?.offset == body.count)
        }
    }

    @Test("another coding is none", arguments: BodyCoding.allCases, BodyCoding.allCases)
    func other(coding: BodyCoding, sent: BodyCoding) {
        let fault = Self.fault(Encoder.encode(Self.raw, sent), coding)
        #expect(fault?.kind == (coding == sent ? nil : .corrupt))
        // Formats that a library knows besides, and that nobody sends: LZ4's first, Zstandard's 0.7.
        for magic: [UInt8] in [[0x02, 0x21, 0x4C, 0x18], [0x27, 0xB5, 0x2F, 0xFD], Array("{\"data\":1}".utf8)] {
            #expect(Self.fault(magic + Self.raw, coding)?.kind == .corrupt)
        }
    }

    @Test("a flipped bit behind the header is corrupt, and named within a block of it", arguments: BodyCoding.allCases)
    func flipped(coding: BodyCoding) throws {
        let body = Encoder.encode(Self.noise, coding)
        for place in stride(from: 20, to: body.count - 8, by: 4_973) {
            var bad = body
            bad[place] ^= 0x10
            let fault = try #require(Self.fault(bad, coding), "bit of byte \(place)")
            #expect(fault.kind == .corrupt && !fault.detail.isEmpty)
        }
    }

    @Test("a window of more than 8 MiB is refused")
    func window() {
        let raw = [UInt8](repeating: 0x61, count: 9 << 20)
        let limits = DecodingLimits(bytes: 9 << 20, ratio: 1 << 20, floor: 0)
        #expect(Self.fault(Encoder.zstd(raw, windowLog: 23), .zstd, limits: limits) == nil)
        let fault = Self.fault(Encoder.zstd(raw, windowLog: 24), .zstd, limits: limits)
        #expect(fault?.kind == .corrupt && fault?.detail.contains("memory") == true)
    }

    @Test("more than the bound is refused before it is there", arguments: BodyCoding.allCases)
    func tooLarge(coding: BodyCoding) throws {
        let raw = Array([[UInt8]](repeating: Self.noise, count: 4).joined())
        let body = Encoder.encode(raw, coding)
        let exact = DecodingLimits(bytes: raw.count, ratio: 100, floor: 0)
        #expect(try BodyDecoder.decode(body, coding, limits: exact) == raw)
        let fault = Self.fault(body, coding, limits: DecodingLimits(bytes: raw.count - 1, ratio: 100, floor: 0))
        #expect(fault?.kind == .tooLarge)
    }

    @Test("a bomb is refused soon behind the floor, a small body never", arguments: BodyCoding.allCases)
    func bomb(coding: BodyCoding) throws {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        let limits = DecodingLimits(bytes: 8 << 20, ratio: 100, floor: 1 << 20)
        let body = Encoder.encode(zeros, coding)
        let fault = try #require(Self.fault(body, coding, limits: limits))
        #expect(fault.kind == .ratio)
        #expect(fault.offset <= (2 << 20) / 100)
        let small = Array(zeros[..<(1 << 20)])
        #expect(try BodyDecoder.decode(Encoder.encode(small, coding), coding, limits: limits) == small)
        // Bombs in small frames are no better.
        let frames = Array([[UInt8]](repeating: Encoder.encode(Array(zeros[..<60_000]), coding), count: 40).joined())
        #expect(Self.fault(frames, coding, limits: limits)?.kind == .ratio)
    }

    static func fault(
        _ body: [UInt8], _ coding: BodyCoding, limits: DecodingLimits = .ofTest, pieceBytes: Int = 1 << 30
    ) -> DecodingFault? {
        do throws(DecodingFault) {
            _ = try BodyDecoder.decode(body, coding, limits: limits, pieceBytes: pieceBytes)
            return nil
        } catch {
            return error
        }
    }
}
