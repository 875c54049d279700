import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("The windows of a scan in order of arrival")
struct SequenceWindowTests {
    /// A block of lines of 10 bytes with these sequences, which rise within each bucket.
    private func meta(_ sequences: [UInt64]) -> BlockMeta {
        let lines = sequences.enumerated().map {
            HandCompaction.Line(
                bucket: .ofTest($0.offset), sequence: Sequence($0.element), bytes: Array(repeating: 0x61, count: 9))
        }
        return HandCompaction.block(lines).meta
    }

    private func slice(_ meta: BlockMeta) -> BlockSlice { BlockSlice(meta, Bucket.earliest...Bucket.latest) }

    private func planner(
        _ blocks: [[UInt64]], from floor: UInt64 = 1, room: Int = 1_000, lines: Int = .max
    ) -> SequencePlanner {
        var planner = SequencePlanner(from: Sequence(floor), budget: room * cost, lines: lines)
        for block in blocks { planner.add(meta(block), slice(meta(block))) }
        return planner
    }

    /// Of a line, as it is planned.
    private let cost = 11 + GatheredLines.lineOverhead

    // MARK: - Planning

    @Test("all of it is one window where it fits")
    func fits() {
        var planner = planner([[9, 1, 5], [2, 20, 3]])
        #expect(planner.finish() == (Sequence(20), 6 * cost))
    }

    @Test("else as many lines as fit, by sequence and whatever block they are of; at least one", arguments: 0...7)
    func budget(room: Int) {
        var planner = planner([[9, 1, 5], [2, 20, 3], [4]], room: room)
        let limits: [UInt64] = [1, 1, 2, 3, 4, 5, 9, 20]
        #expect(planner.finish().limit == Sequence(limits[room]))
    }

    @Test("and no more than are wanted", arguments: 1...8)
    func wanted(lines: Int) {
        var planner = planner([[9, 1, 5], [2, 20, 3], [4]], lines: lines)
        let limits: [UInt64] = [1, 2, 3, 4, 5, 9, 20, 20]
        #expect(planner.finish().limit == Sequence(limits[lines - 1]))
    }

    @Test("lines of earlier windows do not count")
    func floor() {
        var planner = planner([[9, 1, 5], [2, 20, 3]], from: 4, room: 2)
        #expect(planner.finish() == (Sequence(9), 2 * cost))
    }

    @Test("a window reaches blocks that overlap it, and once something did not fit none behind its end")
    func reach() {
        func entry(_ first: UInt64) -> BlockIndexEntry {
            BlockIndexEntry(meta([first]), offset: 0, metaLength: 0)
        }
        let roomy = planner([[3, 9]])
        #expect(roomy.reaches(entry(9)) && !roomy.reaches(entry(10)) && roomy.mayReach(entry(10)))
        let full = planner([[3, 9], [4, 7]], room: 1)
        #expect(full.reaches(entry(3)) && !full.reaches(entry(4)) && !full.mayReach(entry(4)))
    }

    // MARK: - Gathering

    private func gather(_ blocks: [[(sequence: UInt64, text: String)]], _ sequences: ClosedRange<UInt64>)
        -> GatheredLines
    {
        let gathered = GatheredLines(capacity: 1)
        for block in blocks {
            let lines = block.enumerated().map {
                HandCompaction.Line(
                    bucket: .ofTest($0.offset), sequence: Sequence($0.element.sequence),
                    bytes: Array($0.element.text.utf8))
            }
            let meta = HandCompaction.block(lines).meta
            let bytes = lines.flatMap { (line: HandCompaction.Line) -> [UInt8] in line.bytes + [0x0A] }
            bytes.withUnsafeBytes {
                gathered.append(
                    meta, slice(meta), $0, sequences: Sequence(sequences.lowerBound)...Sequence(sequences.upperBound))
            }
        }
        return gathered
    }

    private func drain(_ gathered: GatheredLines, lines: Int = .max) -> [String] {
        gathered.sort()
        let output = ScanOutput()
        while gathered.move(to: output, lines: lines) {}
        var found: [String] = []
        output.forEachLine { found.append("\($1.value) \(String(decoding: $0, as: UTF8.self))") }
        return found
    }

    private let blocks: [[(sequence: UInt64, text: String)]] = [
        [(7, "seven"), (1, "one"), (4, "four")], [(2, ""), (8, "eight"), (3, "a longer line"), (6, "six")],
    ]

    @Test("lines go by sequence, those that were wanted", arguments: 1...4)
    func order(_ step: Int) {
        #expect(drain(gather(blocks, 2...7), lines: step) == ["2 ", "3 a longer line", "4 four", "6 six", "7 seven"])
        #expect(gather(blocks, 9...12).isEmpty)
    }

    @Test("the lower half stays, with its bytes, and takes less memory")
    func lowerHalf() {
        let gathered = gather(blocks, 1...8)
        let before = gathered.cost
        #expect(gathered.keepLowerHalf() == Sequence(3))
        #expect(gathered.cost < before)
        #expect(drain(gathered) == ["1 one", "2 ", "3 a longer line"])
        let last = gather(blocks, 8...8)
        #expect(last.keepLowerHalf() == nil && drain(last) == ["8 eight"])
    }
}
