import Testing

@testable import SegmentFormat

@Suite("The worked example of SPEC.md")
struct WorkedExampleTests {
    private static let path = FixtureFiles.path(WorkedExample.fixture)
    private static let page = FixtureFiles.path("../SPEC.md")

    @Test("the encoder writes it byte for byte")
    func bytes() {
        if FixtureFiles.isWriting { #expect(FixtureFiles.write(Self.path, WorkedExample.bytes)) }
        #expect(FixtureFiles.read(Self.path) == WorkedExample.bytes)
    }

    @Test("SPEC.md lists the same bytes, each line at its offset")
    func listing() throws {
        let page = String(decoding: try #require(FixtureFiles.read(Self.page)), as: UTF8.self)
        let lines = page.split(separator: "\n").drop { !$0.hasSuffix(". Worked example") }
        var bytes: [UInt8] = []
        for line in lines where line.dropFirst(4).hasPrefix(": ") {
            let parts = line.prefix { $0 != "|" }.split(separator: " ")
            #expect(parts.first.map(String.init) == hexOffset(bytes.count))
            bytes += try parts.dropFirst().map { try #require(UInt8($0, radix: 16)) }
        }
        #expect(bytes == WorkedExample.bytes)
    }

    private func hexOffset(_ offset: Int) -> String {
        let digits = String(offset, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits + ":"
    }

    @Test("it reads as the page says: buckets in order, the first line second to arrive")
    func content() throws {
        let bytes = WorkedExample.bytes
        #expect(firstFault(inSegment: bytes) == nil)
        let start = WorkedExample.segment.offset(ofBlock: 0)
        let block = Array(bytes[start...]).decoded { (bytes) throws(FormatFault) in
            try BlockMeta.decode(
                bytes, at: UInt64(start), segment: WorkedExample.head.segment, salt: WorkedExample.head.salt)
        }
        let (meta, _) = try block.get()
        #expect(meta.runs.map(\.bucket) == [WorkedExample.midnight, WorkedExample.tenPast])
        #expect(meta.runs.map(\.lines) == [1, 2])
        #expect(meta.arrangement == .perLine([1, 0, 2]))
        #expect((meta.firstSequence, meta.lastSequence) == (Sequence(1), Sequence(3)))
        #expect(meta.keyed == [WorkedExample.delivery])
    }
}
