import TestSupport
import Testing

@testable import SegmentFormat

@Suite("Cold blocks")
struct ColdBlockTests {
    @Test("a block comes back as it was made: lines, runs and sequences, whole and slice by slice", arguments: 1...30)
    func model(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let lines = Self.lines(Int.random(in: 1...400, using: &random), &random)
        let block = Self.block(lines)
        var segment = SegmentBuilder(ColdSegment.head)
        segment.commit(block)
        let fault = firstFault(inSegment: segment.sealed(), number: ColdSegment.head.segment) {
            (meta, data) throws(FormatFault) in
            #expect(try Self.text(data, meta, 0..<meta.rawLength) == lines.map(\.text).joined())
            #expect(meta.codec == .zstandard && Self.sequences(meta) == lines.map(\.sequence))
            var start = 0
            for run in meta.runs {
                let held = lines.filter { $0.bucket == run.bucket }
                #expect(run.lines == held.count)
                #expect(try Self.text(data, meta, start..<start + run.bytes) == held.map(\.text).joined())
                start += run.bytes
            }
            let last = try BlockData.lastLine(data, of: meta, at: 0)
            #expect(lines.last.map { Array($0.text.utf8) } == last + [0x0A])
        }
        #expect(fault == nil)
    }

    @Test("sequences that follow one another need no column; a gap, or another order, does")
    func arrangement() {
        let consecutive = [(0, 5), (0, 6), (1, 7)].map { ColdLine(hour: $0, sequence: $1) }
        let gap = [(0, 5), (0, 6), (1, 8)].map { ColdLine(hour: $0, sequence: $1) }
        let late = [(0, 6), (1, 5), (1, 7)].map { ColdLine(hour: $0, sequence: $1) }
        #expect(Self.block(consecutive).content.arrangement == .arrival)
        #expect(Self.block(gap).content.arrangement == .perLine([0, 1, 3]))
        #expect(Self.block(late).content.arrangement == .perLine([1, 0, 2]))
        #expect([consecutive, gap, late].map { Self.block($0).firstSequence } == [5, 5, 5].map { Sequence($0) })
        #expect([consecutive, gap, late].map { Self.block($0).content.sequences } == [3, 4, 3])
    }

    @Test("the data and its place must agree, whatever the codec")
    func faults() {
        let meta = Self.meta(Self.block([ColdLine(hour: 0, sequence: 1), ColdLine(hour: 1, sequence: 2)]))
        let frame = Self.block([ColdLine(hour: 0, sequence: 1), ColdLine(hour: 1, sequence: 2)]).content.data
        #expect(Self.verify(frame, meta) == nil)
        #expect(Self.verify(Array(frame.dropLast()), meta) == FormatFault(.dataTruncated, at: 70))
        #expect(Self.verify(Array(frame.dropLast()) + [0], meta) == FormatFault(.dataChecksum, at: 70))
        var asLZ4 = meta
        asLZ4.codec = .lz4
        #expect(Self.verify(frame, asLZ4) == FormatFault(.dataFrame, at: 70))
        var asNone = meta
        asNone.codec = .none
        #expect(Self.verify(frame, asNone) == FormatFault(.blockCodec, at: 70))
        var otherRuns = meta
        otherRuns.runs[0].bytes -= 1
        otherRuns.runs[1].bytes += 1
        #expect(Self.verify(frame, otherRuns) == FormatFault(.dataLines, at: 70))
    }

    @Test("a last line without LF is found")
    func lastLine() {
        let text = Array("a\nb".utf8)
        var meta = Self.meta(Self.block([ColdLine(hour: 0, sequence: 1)]))
        meta.rawLength = text.count
        let line = ZstdFrameTests.encode(text).decoded { (frame) throws(FormatFault) in
            try BlockData.lastLine(frame, of: meta, at: 70)
        }
        #expect(line == .failure(FormatFault(.dataLines, at: 70)))
    }

    @Test("lines out of order are a bug, not a block")
    func unordered() async {
        await #expect(processExitsWith: .failure) {
            _ = ColdBlockTests.block([ColdLine(hour: 1, sequence: 1), ColdLine(hour: 0, sequence: 2)])
        }
        await #expect(processExitsWith: .failure) {
            _ = ColdBlockTests.block([ColdLine(hour: 1, sequence: 2), ColdLine(hour: 1, sequence: 1)])
        }
    }

    @Test("the content's checksum is compared by a check of everything, and by no read: D2 covers the frame")
    func contentChecksum() {
        var random = SeededRandom(seed: 8)
        let block = Self.block(Self.lines(50, &random))
        let meta = Self.meta(block)
        var frame = block.content.data
        frame[frame.count - 1] ^= 1
        var damaged = meta
        damaged.dataHash = frame.withUnsafeBytes { xxh3($0) }
        #expect(Self.verify(frame, damaged) == FormatFault(.dataDecode, at: 70 + UInt64(frame.count) - 4))
        #expect(Self.verify(frame, meta) == FormatFault(.dataChecksum, at: 70))
        let texts = [frame, block.content.data].map { (data: [UInt8]) -> String? in
            data.withUnsafeBytes { try? Self.text($0, meta, 0..<meta.rawLength) }
        }
        #expect(texts[0] == texts[1] && texts[0] != nil)
    }
}

// MARK: - Lines and calls

/// A line that has its sequence.
struct ColdLine {
    var bucket: Bucket
    var sequence: Sequence
    /// With its LF.
    var text: String

    init(hour: UInt64, sequence: UInt64) {
        bucket = .ofHour(hour)
        self.sequence = Sequence(sequence)
        text = #"{"timestamp":\#(bucket.milliseconds),"n":\#(sequence)}"# + "\n"
    }
}

extension ColdBlockTests {
    /// By bucket, then by sequence; some sequences lie elsewhere.
    static func lines(_ count: Int, _ random: inout SeededRandom) -> [ColdLine] {
        var sequence = UInt64.random(in: 1...1 << 40, using: &random)
        let lines = (0..<count).map { _ in
            defer { sequence += Int.random(in: 0..<9, using: &random) == 0 ? random.next() % 1_000 + 1 : 1 }
            return ColdLine(hour: random.next() % 24, sequence: sequence)
        }
        return lines.sorted { ($0.bucket, $0.sequence) < ($1.bucket, $1.sequence) }
    }

    static func block(_ lines: [ColdLine]) -> ColdBlock {
        var runs: [Run] = []
        for line in lines {
            if runs.last?.bucket != line.bucket { runs.append(Run(bucket: line.bucket, lines: 0, bytes: 0)) }
            runs[runs.count - 1].lines += 1
            runs[runs.count - 1].bytes += line.text.utf8.count
        }
        let text = Array(lines.map(\.text).joined().utf8)
        return text.withUnsafeBytes {
            ColdBlock($0, runs: runs, sequences: lines.map(\.sequence), encoder: ZstdEncoder())
        }
    }

    static func meta(_ block: ColdBlock) -> BlockMeta {
        var meta = BlockMeta(
            segment: SegmentNumber(1), commit: CommitNumber(1), indexInCommit: 0, blocksInCommit: 1,
            nextSequence: block.firstSequence, keyed: [], sourced: [])
        meta.hold(block.content)
        return meta
    }

    static func verify(_ frame: [UInt8], _ meta: BlockMeta) -> FormatFault? {
        frame.decoded { (frame) throws(FormatFault) in try BlockData.verify(frame, of: meta, at: 70) }.fault
    }

    static func text(
        _ data: UnsafeRawBufferPointer, _ meta: BlockMeta, _ range: Range<Int>
    ) throws(FormatFault) -> String {
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 1)
        defer { output.deallocate() }
        try BlockData.decode(data, of: meta, at: 0, range: range, into: output)
        return String(decoding: output, as: UTF8.self)
    }

    static func sequences(_ meta: BlockMeta) -> [Sequence] {
        switch meta.arrangement {
        case .perLine(let offsets): offsets.map { Sequence(meta.firstSequence.value + $0) }
        case .arrival, .perBlock: (0..<meta.lines).map { meta.firstSequence + $0 }
        }
    }
}
