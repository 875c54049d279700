import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What a scan has gathered")
struct ScanOutputTests {
    /// Lines 0 … 5 in buckets 1, 1, 2, 2, 2, 3 with sequences 10, 11, 12, 20, 22, 30.
    private func gathered() -> ScanOutput {
        let output = ScanOutput()
        let parts: [([(Int, Int)], SequenceSpan)] = [
            ([(1, 2), (2, 1)], .consecutive(from: 10, count: 3)), ([(2, 2)], .listed([20, 22])),
            ([(3, 1)], .consecutive(from: 30, count: 1)),
        ]
        var line = 0
        for (runs, span) in parts {
            let text = (line..<line + span.count).map { "line \($0)\n" }.joined()
            output.reserve(text.utf8.count).copyBytes(from: text.utf8)
            output.grow(by: runs.map { Run(bucket: .ofTest($0.0), lines: $0.1, bytes: 7 * $0.1) }, span)
            line += span.count
        }
        return output
    }

    private static let all = ["#10 line 0", "#11 line 1", "#12 line 2", "#20 line 3", "#22 line 4", "#30 line 5"]

    @Test("any number of lines can be dropped in front, and any number kept of the rest")
    func cutting() {
        for dropped in 0...6 {
            for kept in 0...8 {
                let output = gathered()
                output.dropFirst(lines: dropped)
                let isCut = output.truncate(toLines: kept)
                #expect(isCut == (kept < 6 - dropped))
                let expected = Array(Self.all.dropFirst(dropped).prefix(kept))
                #expect(output.told == expected && output.lines == expected.count)
                #expect(output.bytes.count == 7 * expected.count)
            }
        }
    }

    @Test("cut twice, in either order, it is as if it were cut once")
    func cuttingTwice() {
        let output = gathered()
        #expect(output.truncate(toLines: 5))
        output.dropFirst(lines: 1)
        output.dropFirst(lines: 2)
        #expect(output.truncate(toLines: 1))
        #expect(output.told == [Self.all[3]])
        #expect(output.position(ofLine: 0, order: .time) == ScanPosition(bucket: .ofTest(2), sequence: Sequence(20)))
    }

    @Test("a line's place is its bucket and sequence, counted from what is left")
    func positions() {
        let buckets = [1, 1, 2, 2, 2, 3]
        for dropped in 0..<6 {
            let output = gathered()
            output.dropFirst(lines: dropped)
            for line in 0..<6 - dropped {
                let sequence = Sequence([10, 11, 12, 20, 22, 30][dropped + line])
                let place = ScanPosition(bucket: .ofTest(buckets[dropped + line]), sequence: sequence)
                #expect(output.position(ofLine: line, order: .time) == place)
                let arrived = ScanPosition(bucket: .earliest, sequence: sequence)
                #expect(output.position(ofLine: line, order: .arrival) == arrived)
            }
        }
    }

    @Test("lines up to a place are counted, whether or not a line is at it")
    func through() {
        let output = gathered()
        let places = [(0, 99, 0), (1, 9, 0), (1, 10, 1), (2, 11, 2), (2, 21, 4), (3, 30, 6), (9, 0, 6)]
        for (bucket, sequence, lines) in places {
            let place = ScanPosition(bucket: .ofTest(bucket), sequence: Sequence(UInt64(sequence)))
            #expect(output.lines(through: place, order: .time) == lines)
        }
        for (sequence, lines) in [(9, 0), (10, 1), (19, 3), (22, 5), (99, 6)] {
            let place = ScanPosition(bucket: .earliest, sequence: Sequence(UInt64(sequence)))
            #expect(output.lines(through: place, order: .arrival) == lines)
        }
    }

    @Test("cleared, it is as new")
    func clear() {
        let output = gathered()
        output.dropFirst(lines: 2)
        output.clear()
        #expect(output.told.isEmpty && output.bytes.isEmpty && output.lines == 0)
    }

    // MARK: - The memory of all scans

    @Test("a scan gets half of what is left, within floor and budget, and gives it back")
    func leases() {
        let pool = ScanPool()
        var leases: [ScanLease] = []
        var left = Bounds.scanPool
        for _ in 0..<40 {
            let lease = pool.lease()
            #expect(lease.bytes == max(Bounds.scanFloor, min(Bounds.scanBudget, left / 2)))
            left -= lease.bytes
            leases.append(lease)
        }
        #expect(leases.first?.bytes == Bounds.scanBudget && leases.last?.bytes == Bounds.scanFloor)
        leases = []
        #expect(pool.lease().bytes == Bounds.scanBudget)
    }
}

extension ScanOutput {
    /// Each line, with its sequence.
    var told: [String] {
        var lines: [String] = []
        forEachLine { lines.append("#\($1.value) \(String(decoding: $0, as: UTF8.self))") }
        return lines
    }
}
