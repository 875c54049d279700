import Testing

@testable import SegmentFormat

@Suite("The worked example of SPEC.md")
struct WorkedExampleTests {
    private static let path = FixtureFiles.path(WorkedExample.fixture)
    private static let listing = FixtureFiles.path("segments/worked-example.hex.txt")

    @Test("the encoder writes it byte for byte")
    func bytes() {
        if FixtureFiles.isWriting { #expect(FixtureFiles.write(Self.path, WorkedExample.bytes)) }
        #expect(FixtureFiles.read(Self.path) == WorkedExample.bytes)
    }

    @Test("the listing with comments is the same bytes")
    func hexListing() throws {
        let text = String(decoding: try #require(FixtureFiles.read(Self.listing)), as: UTF8.self)
        let bytes = text.split(separator: "\n").flatMap { line in
            let hex = line.prefix { $0 != "|" && $0 != "#" }
            return hex.split(separator: " ").dropFirst().map { UInt8($0, radix: 16) }
        }
        #expect(bytes == WorkedExample.bytes)
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
