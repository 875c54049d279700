import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("The windows of a scan")
struct WindowTests {
    private func run(_ bucket: Int, lines: Int = 1, bytes: Int = 100) -> Run {
        Run(bucket: .ofTest(bucket), lines: lines, bytes: bytes)
    }

    private func planner(
        _ runs: [Run], budget: Int, lines: Int = .max, maximumBuckets: Int = 65_536
    ) -> WindowPlanner {
        var planner = WindowPlanner(maximumBuckets: maximumBuckets)
        planner.begin(budget: budget, lines: lines)
        for run in runs { planner.add(run) }
        return planner
    }

    // MARK: - Planning

    @Test("everything is one window where it fits, the buckets in order and summed up")
    func oneWindow() throws {
        var planner = planner([run(3), run(1, lines: 2, bytes: 50), run(3, lines: 4, bytes: 7)], budget: 1 << 20)
        #expect(planner.bound == .latest)
        let window = try planner.taken()
        #expect(window.buckets == [run(1, lines: 2, bytes: 50), run(3, lines: 5, bytes: 107)])
        #expect(window.last == .ofTest(3) && !window.isTooLarge)
        #expect(planner.finish() == nil)
    }

    @Test("no window costs more than the budget, unless it is one bucket alone", arguments: [0, 1, 300, 600, 2_000])
    func budgets(budget: Int) throws {
        var planner = planner((0..<20).reversed().map { run($0, bytes: 50 * $0) }, budget: budget)
        var buckets: [Bucket] = []
        while let window = planner.finish() {
            let bytes = window.buckets.reduce(0) { $0 + $1.bytes }
            #expect(bytes <= budget || window.buckets.count == 1)
            #expect(window.isTooLarge || bytes <= budget)
            #expect(window.last == window.buckets.last?.bucket)
            buckets += window.buckets.map(\.bucket)
            planner.begin(budget: budget, lines: .max)
        }
        #expect(buckets == (0..<20).map { Bucket.ofTest($0) })
    }

    @Test("a bucket beyond the budget is alone, and said to be too large; the next window goes on behind it")
    func tooLarge() throws {
        var planner = planner([run(2), run(1, bytes: 5_000)], budget: 1_000)
        #expect((5_000..<6_000).contains(planner.firstCost))
        let first = try planner.taken()
        #expect(first.isTooLarge && first.buckets == [run(1, bytes: 5_000)])
        #expect(planner.firstCost < 1_000)
        planner.begin(budget: 1_000, lines: .max)
        let second = try planner.taken()
        #expect(!second.isTooLarge && second.buckets == [run(2)])
    }

    @Test("a window holds whole buckets, as few as give the lines that are wanted", arguments: 1...12)
    func limitedByLines(_ lines: Int) throws {
        var planner = planner((0..<4).map { run($0, lines: 3) }, budget: 1 << 20, lines: lines)
        let window = try planner.taken()
        #expect(window.buckets.count == (lines + 2) / 3)
    }

    @Test("the bound falls as runs are counted and never rises: what lies beyond it was not looked for")
    func boundNeverRises() throws {
        var planner = planner([run(1), run(5, bytes: 2_000)], budget: 1_000)
        #expect(planner.bound == .ofTest(1))
        planner.add(run(1))
        planner.add(run(3))
        #expect(planner.bound == .ofTest(1))
        #expect(try planner.taken().last == .ofTest(1))
    }

    @Test("with too many buckets to count the far ones are dropped, and counted again when their turn comes")
    func overflow() throws {
        let runs = (0..<100).map { run(($0 * 37) % 100) }
        var planner = WindowPlanner(maximumBuckets: 10)
        var (buckets, restarts): ([Bucket], Int) = ([], 0)
        while buckets.count < 100 {
            planner.begin(budget: 1 << 20, lines: .max)
            if planner.hasLostCount {
                planner.restart()
                restarts += 1
            }
            for run in runs where run.bucket > buckets.last ?? .earliest { planner.add(run) }
            buckets += try planner.taken().buckets.map(\.bucket)
        }
        #expect(buckets == (0..<100).map { Bucket.ofTest($0) })
        #expect(restarts >= 9 && !planner.hasLostCount)
    }

    @Test("random windows against the sums of all runs", arguments: 1...20)
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let runs = (0..<200).map { _ in
            run(Int.random(in: 0..<60, using: &random), bytes: Int.random(in: 1...300, using: &random))
        }
        var sums: [Bucket: Int] = [:]
        for run in runs { sums[run.bucket, default: 0] += run.bytes }
        var planner = WindowPlanner(maximumBuckets: Int.random(in: 2...80, using: &random))
        var (isCounted, floor) = (false, Bucket.earliest)
        while !sums.isEmpty {
            planner.begin(budget: Int.random(in: 0...4_000, using: &random), lines: .max)
            if planner.hasLostCount {
                planner.restart()
                isCounted = false
            }
            if !isCounted { for run in runs where run.bucket >= floor { planner.add(run) } }
            isCounted = true
            let window = try planner.taken()
            for run in window.buckets { #expect(sums.removeValue(forKey: run.bucket) == run.bytes) }
            floor = Bucket(milliseconds: window.last.milliseconds + 1)
            #expect(sums.keys.allSatisfy { $0 >= floor })
        }
        #expect(sums.isEmpty)
    }

    // MARK: - Laying out

    private func meta(_ first: UInt64, _ runs: [Run]) -> BlockMeta {
        var meta = BlockMeta(
            segment: SegmentNumber(1), commit: CommitNumber(1), indexInCommit: 0, blocksInCommit: 1,
            nextSequence: Sequence(first), keyed: [], sourced: [])
        meta.runs = runs
        return meta
    }

    /// Lays blocks out and returns what the output then holds, or `nil` where one did not fit.
    private func lay(_ window: [Run], _ blocks: [(meta: BlockMeta, text: String)]) -> [String]? {
        let last = window.last?.bucket ?? .latest
        let output = ScanOutput()
        var layout = WindowLayout(WindowPlanner.Window(buckets: window, last: last, isTooLarge: false), output)
        for (meta, text) in blocks {
            let bytes = Array(text.utf8)
            do throws(FormatFault) {
                try layout.place(BlockSlice(meta, .earliest...last), of: meta, at: 7) { $1.copyBytes(from: bytes[$0]) }
            } catch {
                #expect(error == FormatFault(.sealBlocks, at: 7))
                return nil
            }
        }
        layout.finish()
        return output.told
    }

    @Test("lines go by bucket, and inside a bucket by sequence, block after block")
    func layout() {
        let window = [run(1, lines: 3, bytes: 7), run(2, lines: 3, bytes: 6)]
        let blocks = [
            (meta(10, [run(1, lines: 1, bytes: 3), run(2, lines: 2, bytes: 4)]), "aa\nb\nc\n"),
            (meta(20, [run(1, lines: 2, bytes: 4), run(2, lines: 1, bytes: 2)]), "d\ne\nf\n"),
        ]
        #expect(lay(window, blocks) == ["#10 aa", "#20 d", "#21 e", "#11 b", "#12 c", "#22 f"])
    }

    @Test("long stretches are decoded where they belong, short ones in one go", arguments: [10, 65_536, 70_000])
    func stretches(_ bytes: Int) throws {
        let runs = [1, 2, 3, 5].map { run($0, bytes: bytes) }
        let other = [run(2, bytes: bytes), run(4, bytes: bytes)]
        let window = [runs[0], run(2, lines: 2, bytes: 2 * bytes), runs[2], other[1], runs[3]]
        let output = ScanOutput()
        var layout = WindowLayout(WindowPlanner.Window(buckets: window, last: .ofTest(5), isTooLarge: false), output)
        var decoded: [[Range<Int>]] = []
        for (first, runs) in [(1, runs), (9, other)] as [(UInt64, [Run])] {
            let meta = meta(first, runs)
            decoded.append([])
            try layout.place(BlockSlice(meta, .earliest...Bucket.latest), of: meta, at: 0) { range, place in
                decoded[decoded.count - 1].append(range)
                for byte in range {
                    place[byte - range.lowerBound] = (byte + 1) % bytes == 0 ? 0x0A : UInt8(first) + 0x30
                }
            }
        }
        layout.finish()
        let isLong = bytes >= 65_536
        let apart = [0..<2 * bytes, 2 * bytes..<3 * bytes, 3 * bytes..<4 * bytes]
        #expect(decoded[0] == (isLong ? apart : [0..<4 * bytes]))
        #expect(decoded[1] == (isLong ? [0..<bytes, bytes..<2 * bytes] : [0..<2 * bytes]))
        #expect(output.told.map { String($0.prefix(4)) } == ["#1 1", "#2 1", "#9 9", "#3 1", "#10 ", "#4 1"])
    }

    @Test("what a damaged block lacks leaves no gap", arguments: 0...2)
    func gaps(lost: Int) {
        let window = (1...3).map { run($0, lines: 3, bytes: 6) }
        var blocks = (0...2).map { block in
            let runs = (1...3).map { run($0, lines: 1, bytes: 2) }
            return (meta(UInt64(10 * block + 10), runs), "\(block)\n\(block)\n\(block)\n")
        }
        blocks.remove(at: lost)
        let kept = [0, 1, 2].filter { $0 != lost }
        let expected = (0..<3).flatMap { line in kept.map { "#\(10 * $0 + 10 + line) \($0)" } }
        #expect(lay(window, blocks) == expected)
        #expect(lay(window, []) == [])
    }

    @Test("a run that was not planned, or is more than was planned, is refused")
    func unplanned() {
        let window = [run(1, lines: 1, bytes: 2), run(3, lines: 1, bytes: 2)]
        let text = "a\n"
        #expect(lay(window, [(meta(1, [run(1, lines: 1, bytes: 2)]), text)]) == ["#1 a"])
        #expect(lay(window, [(meta(1, [run(2, lines: 1, bytes: 2)]), text)]) == nil)
        #expect(lay(window, [(meta(1, [run(1, lines: 1, bytes: 3)]), text + text)]) == nil)
        #expect(lay(window, [(meta(1, [run(1, lines: 2, bytes: 2)]), text)]) == nil)
        let twice = (1...2).map { (meta(UInt64($0), [run(1, lines: 1, bytes: 2)]), text) }
        #expect(lay(window, twice) == nil)
    }
}

extension WindowPlanner {
    /// The window that `finish` gives; there has to be one.
    fileprivate mutating func taken() throws -> Window {
        let window = finish()
        return try #require(window)
    }
}
