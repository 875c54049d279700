import Testing

@testable import SegmentFormat

@Suite("Round trips")
struct RoundTripTests {
    @Test("a frame decodes to what encodes to the same bytes", arguments: FrameSample.all)
    func sameBytes(_ sample: FrameSample) {
        #expect(sample.again(sample.bytes) == .success(sample.bytes))
    }

    @Test("the same records give the same bytes")
    func deterministic() {
        #expect(WorkedExample.bytes == WorkedExample.bytes)
        #expect(FrameSample.manifestValue.encoded() == FrameSample.manifestValue.encoded())
    }

    @Test("a head keeps every field, and says how long it is")
    func head() {
        let decoded = FrameSample.head.bytes.decoded(SegmentHead.decode).value
        #expect(decoded?.head == FrameSample.headValue)
        #expect(decoded?.length == FrameSample.head.bytes.count)
    }

    @Test("a number is 16 lower-case hex digits, and is read from 16 of either case")
    func hex() {
        #expect([0, 0xAB, UInt64.max].map(\.hex) == ["0000000000000000", "00000000000000ab", "ffffffffffffffff"])
        #expect(UInt64(hex: "0123456789abcDEF") == 0x0123_4567_89AB_CDEF)
        let bad = ["", "0", "+000000000000001", "-000000000000000", " 000000000000001", "00000000000000g1"]
        for text in bad + ["00000000000000001", "000000000000000é"] { #expect(UInt64(hex: text) == nil, "\(text)") }
    }

    @Test(
        "a meta frame keeps every field, in each arrangement",
        arguments: [Arrangement.arrival, .perLine([4, 0, 1, 3, 2]), .perBlock])
    func meta(_ arrangement: Arrangement) {
        let meta = FrameSample.metaValue(arrangement)
        #expect(FrameSample.decodeMeta(meta.encoded(salt: FrameSample.salt)) == .success(meta))
    }

    @Test("a block of deliveries alone has no lines and the sequence that comes next")
    func withoutLines() {
        let decoded = FrameSample.decodeMeta(FrameSample.deliveries.bytes).value
        #expect(decoded == FrameSample.noLines)
        #expect(decoded?.lastSequence == Sequence(74))
        #expect(decoded?.firstBucket == .latest && decoded?.lastBucket == .earliest)
    }

    @Test("a block per block may have sequences that are gone")
    func perBlockWithGaps() {
        var meta = FrameSample.metaValue(.perBlock)
        meta.lastSequence = Sequence(500)
        #expect(FrameSample.decodeMeta(meta.encoded(salt: FrameSample.salt)) == .success(meta))
    }

    @Test("a seal keeps index, deliveries and sources, and its tail says where it begins")
    func seal() {
        let bytes = FrameSample.seal.bytes
        #expect(FrameSample.decodeSeal(bytes) == .success(FrameSample.sealValue))
        #expect(FrameSample.decodeSeal(FrameSample.emptySeal.bytes) == .success(FrameSample.emptySealValue))
        let tail = Array(bytes.suffix(Seal.tailByteCount))
        #expect(tail.withUnsafeBytes { Seal.frameLength(tail: $0) } == bytes.count)
    }

    @Test("a manifest keeps every list")
    func manifest() {
        #expect(FrameSample.manifest.bytes.decoded(Manifest.decode) == .success(FrameSample.manifestValue))
        #expect(FrameSample.newManifest.bytes.decoded(Manifest.decode) == .success(FrameSample.newManifestValue))
    }

    @Test("an active mark has the length that readers ask for")
    func activeMark() {
        #expect(FrameSample.activeMark.bytes.count == ActiveMark.byteCount)
        #expect(FrameSample.activeMark.bytes.decoded(ActiveMark.decode) == .success(FrameSample.markValue))
    }

    @Test("a reader steps over an optional section that it does not know")
    func optionalSection() {
        var forge = FrameForge(FrameSample.head.bytes)
        forge.sections.append(.init(tag: 0x8077, bytes: [1, 2, 3]))
        #expect(forge.frame().decoded(SegmentHead.decode).value?.head == FrameSample.headValue)
    }

    @Test("a key index and a key filter may stand in a seal")
    func keySections() {
        var forge = FrameForge(FrameSample.seal.bytes)
        forge.sections.insert(.init(tag: SectionTag.keyIndex.rawValue, bytes: [UInt8](repeating: 0, count: 12)), at: 4)
        forge.sections.insert(.init(tag: SectionTag.keyFilter.rawValue, bytes: [UInt8](repeating: 0, count: 32)), at: 5)
        let bytes = forge.frame(salt: FrameSample.salt)
        forge[.end].set(UInt32(bytes.count), at: 0)
        var seal = FrameSample.decodeSeal(forge.frame(salt: FrameSample.salt)).value
        #expect(seal?.keys.count == 1)
        seal?.keys = .empty
        #expect(seal == FrameSample.sealValue)
    }
}
