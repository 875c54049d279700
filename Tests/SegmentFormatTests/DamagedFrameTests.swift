import Testing

@testable import SegmentFormat

@Suite("Damaged frames")
struct DamagedFrameTests {
    @Test("cut off anywhere, a frame is refused", arguments: FrameSample.all)
    func truncated(_ sample: FrameSample) {
        for count in 0..<sample.bytes.count {
            let fault = sample.again(Array(sample.bytes[..<count])).fault
            #expect(fault?.clause == .frameTruncated, "cut at \(count): \(fault?.description ?? "taken")")
        }
    }

    @Test("with any one bit turned over, a frame is refused", arguments: FrameSample.all)
    func flipped(_ sample: FrameSample) {
        for bit in 0..<sample.bytes.count * 8 {
            var bytes = sample.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            let fault = sample.again(bytes).fault
            #expect(fault != nil, "bit \(bit) was taken")
        }
    }

    @Test("bytes behind a manifest are refused")
    func behindManifest() {
        let bytes = FrameSample.manifest.bytes
        let fault = FormatFault(.frameLength, at: UInt64(bytes.count))
        #expect((bytes + [0]).decoded(Manifest.decode) == .failure(fault))
    }

    @Test("a frame does not verify under another file's salt")
    func salt() {
        let meta = FrameSample.metaValue(.arrival).encoded(salt: Salt(1))
        #expect(FrameSample.decodeMeta(meta) == .failure(FormatFault(.frameChecksum, at: 16)))
        let seal = FrameSample.sealValue.encoded(salt: Salt(1))
        #expect(FrameSample.decodeSeal(seal).fault == FormatFault(.frameChecksum, at: FrameSample.sealOffset + 16))
    }

    @Test(
        "a length beyond the bound of its kind is refused before anything else is read",
        arguments: FrameKind.allCases)
    func bound(_ kind: FrameKind) {
        var header = FrameForge(kind, []).frame()
        header.set(UInt32(kind.bound + 1), at: 4)
        let length = header.decoded { (bytes) throws(FormatFault) in
            try FrameHeader.frameLength(bytes, at: 0, kind: kind)
        }
        #expect(length == .failure(FormatFault(.frameLength, at: 4)))
    }
}
