import Interactions
import SegmentFormat
import StrictJSON
import TestSupport
import Testing

@testable import daybook

@Suite("cutting a file into batches")
struct LineReaderTests {
    private func batches(of text: String) throws -> [InputBatch] {
        let directory = try TemporaryDirectory()
        var reader = LineReader(try InputFile(try directory.write(text, to: "input")))
        var all: [InputBatch] = []
        while let batch = try reader.next() { all.append(batch) }
        return all
    }

    @Test("nothing is lost, and lines and offsets go on", arguments: [1, 9_999, 10_000, 10_001, 35_000])
    func whole(lines: Int) throws {
        let text = (1...lines).map { "line \($0)" }.joined(separator: "\n")
        let all = try batches(of: text)
        #expect(all.flatMap(\.bytes) == Array(text.utf8))
        #expect(all.count == (lines + BatchBounds.lines - 1) / BatchBounds.lines)
        var (line, offset) = (1, 0)
        for (index, batch) in all.enumerated() {
            #expect(batch.number == index)
            #expect(batch.place(ofLine: 1, offset: 0) == InputPlace(kind: .line, number: line, offset: offset))
            line += batch.lines
            offset += batch.bytes.count
        }
        #expect(line == lines + 1)
    }

    @Test("a batch ends at its bound of bytes")
    func bytes() throws {
        let text = String(repeating: String(repeating: "x", count: 500_000) + "\n", count: 18)
        let all = try batches(of: text)
        #expect(all.allSatisfy { $0.bytes.count < BatchBounds.bytes + 500_001 })
        #expect(all.reduce(0) { $0 + $1.lines } == 18)
    }

    @Test("a line that is far too long is refused for that, and the next one is found")
    func overlong() throws {
        let long = String(repeating: "x", count: 3 << 20)
        let all = try batches(of: "{\"timestamp\":1}\n\(long)\n{\"timestamp\":2}\n")
        let places = all.map { $0.place(ofLine: 1, offset: 0) }
        #expect(places.map(\.number) == [1, 3])
        #expect(places[1].offset == 16 + long.utf8.count + 1)
        #expect(
            throws: RefusedInput(
                place: InputPlace(kind: .line, number: 2, offset: 16 + EventScanner.maximumByteCount),
                reason: "too_long", message: EventFault.Reason.tooLong.message)
        ) {
            _ = try all[0].decoded(EventScanner(resolution: .tenMinutes), .stop)
        }
        let (kept, skipped) = all[0].withoutBadLines()
        #expect(kept.bytes == Array("{\"timestamp\":1}\n".utf8))
        #expect(skipped.map(\.place.number) == [2])
    }

    @Test("no bytes, no batch")
    func empty() throws {
        #expect(try batches(of: "").isEmpty)
    }
}
