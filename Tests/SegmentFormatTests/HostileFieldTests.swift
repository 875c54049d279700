import Testing

@testable import SegmentFormat

/// Fields that no encoder writes, under a checksum that is right.
@Suite("Hostile fields")
struct HostileFieldTests {
    /// Values that overflow where code adds to them, converts them or allocates by them.
    static let absurd: [UInt64] = [
        0, 1 << 31, (1 << 40) + 1, (1 << 63) - 1, 1 << 63, .max,
    ]

    @Test("no value of any field traps, and what is taken encodes to the same bytes", arguments: FrameSample.all)
    func everyField(_ sample: FrameSample) {
        let original = FrameForge(sample.bytes)
        let salt = sample.isSalted ? FrameSample.salt : .none
        for section in original.sections.indices {
            for offset in 0..<max(1, original.sections[section].bytes.count - 7) {
                for value in Self.absurd {
                    var forge = original
                    guard forge.sections[section].bytes.count >= 8 else { continue }
                    forge.sections[section].bytes.set(value, at: offset)
                    let frame = forge.frame(salt: salt)
                    guard case .success(let again) = sample.again(frame) else { continue }
                    #expect(again == frame, "\(value) at \(offset) of section \(section)")
                }
            }
        }
    }

    @Test("sections of any length do not trap", arguments: FrameSample.all)
    func everyLength(_ sample: FrameSample) {
        let original = FrameForge(sample.bytes)
        let salt = sample.isSalted ? FrameSample.salt : .none
        for section in original.sections.indices {
            for length in 0..<original.sections[section].bytes.count {
                var forge = original
                forge.sections[section].bytes.removeLast(forge.sections[section].bytes.count - length)
                let fault = sample.again(forge.frame(salt: salt)).fault
                let isName = original.sections[section].tag == SectionTag.stream.rawValue && length > 0
                let isWhole = length > 0 && original.isWhole(section, length)
                #expect(fault != nil || isName || isWhole, "section \(section) of \(length) bytes was taken")
            }
        }
    }

    @Test("a block without lines has no lines to arrange", arguments: [UInt8(1), 2])
    func arrangementWithoutLines(_ arrangement: UInt8) {
        var forge = FrameForge(FrameSample.deliveries.bytes)
        forge[.block][53] = arrangement
        #expect(FrameSample.decodeMeta(forge.frame(salt: FrameSample.salt)).fault?.clause == .blockBounds)
    }

    @Test("a sequence that cannot grow is refused wherever it stands", arguments: [1 << 63, UInt64.max])
    func sequences(_ value: UInt64) {
        var seal = FrameForge(FrameSample.seal.bytes)
        seal[.blockIndex].set(value, at: 32)
        #expect(FrameSample.decodeSeal(seal.frame(salt: FrameSample.salt)).fault?.clause == .sealIndex)
        var empty = FrameForge(FrameSample.emptySeal.bytes)
        empty[.totals].set(value, at: 40)
        empty[.totals].set(value, at: 48)
        #expect(FrameSample.decodeSeal(empty.frame(salt: FrameSample.salt)).fault?.clause == .sealIndex)
        var mark = FrameForge(FrameSample.activeMark.bytes)
        mark[.active].set(value, at: 32)
        #expect(mark.frame().decoded(ActiveMark.decode).fault?.clause == .activeMark)
        for (tag, offset) in [(SectionTag.sequences, 0), (.sequences, 8), (.manifest, 8), (.cleanClose, 32)] {
            var manifest = FrameForge(FrameSample.manifest.bytes)
            manifest[tag].set(value, at: offset)
            #expect(manifest.frame().decoded(Manifest.decode).fault?.clause == .manifestHeader)
        }
        var entry = FrameForge(FrameSample.manifest.bytes)
        entry[.segments].set(value, at: 48)
        #expect(entry.frame().decoded(Manifest.decode).fault?.clause == .manifestSegments)
    }

    @Test(
        "a list that is there has an element",
        arguments: [SectionTag.segments, .tombstones, .holds, .jobs, .checkpoints])
    func emptyList(_ tag: SectionTag) {
        var forge = FrameForge(FrameSample.manifest.bytes)
        forge[tag] = []
        let expected: Clause = tag == .segments ? .manifestSegments : .manifestLists
        #expect(forge.frame().decoded(Manifest.decode).fault?.clause == expected)
    }

    @Test(
        "checkpoints rise, and are no more than two",
        arguments: [(0, 0), (0, 5), (8, UInt64.max), (8, 51), (24, 1 << 41)] as [(Int, UInt64)])
    func checkpoints(offset: Int, value: UInt64) {
        var forge = FrameForge(FrameSample.manifest.bytes)
        forge[.checkpoints].set(value, at: offset)
        #expect(forge.frame().decoded(Manifest.decode).fault?.clause == .manifestLists)
        var third = FrameForge(FrameSample.manifest.bytes)
        third[.checkpoints] += third[.checkpoints].suffix(56)
        #expect(third.frame().decoded(Manifest.decode).fault?.clause == .manifestLists)
    }
}

extension FrameSample {
    var isSalted: Bool { description.hasPrefix("meta") || description.hasPrefix("seal") }
}

extension FrameForge {
    /// Whether `length` bytes of a section are some elements fewer of a list.
    fileprivate func isWhole(_ section: Int, _ length: Int) -> Bool {
        let bytesEach: [UInt16: Int] = [
            SectionTag.replacedSegments.rawValue: 8,
            SectionTag.deliveries.rawValue: 56,
            SectionTag.sources.rawValue: 56,
            SectionTag.segments.rawValue: 120,
            SectionTag.tombstones.rawValue: 24,
            SectionTag.jobs.rawValue: 24,
            SectionTag.holds.rawValue: 54,
            SectionTag.checkpoints.rawValue: 56,
        ]
        return bytesEach[sections[section].tag].map { length % $0 == 0 } ?? false
    }
}
