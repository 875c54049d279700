import Glibc
import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import daybook

@Suite("tail")
struct TailTests {
    private static func lines(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { #"{"timestamp":\#(Self.time($0)),"n":\#($0)}"# + "\n" }.joined()
    }

    /// Ten events share a bucket; odd ones are a day older.
    private static func time(_ number: Int) -> Int {
        1_361_404_800_000 + number / 10 * 600_000 - (number % 2) * 86_400_000
    }

    private func store(_ directory: borrowing TemporaryDirectory, _ numbers: ClosedRange<Int>) async throws {
        let file = try directory.write(Self.lines(numbers), to: "events.ndjson")
        #expect(try await CommandRun("ingest", file, "--data", "\(directory.path)/data").status == 0)
    }

    @Test("the last ten, or as many as are asked for, in order of arrival")
    func last() async throws {
        let directory = try TemporaryDirectory()
        try await store(directory, 1...40)
        let data = ["--data", "\(directory.path)/data"]
        #expect(try await CommandRun(["tail"] + data).output == Self.lines(31...40))
        #expect(try await CommandRun(["tail", "-n", "1"] + data).output == Self.lines(40...40))
        #expect(try await CommandRun(["tail", "-n", "100"] + data).output == Self.lines(1...40))
        #expect(try await CommandRun(["tail", "-n", "0"] + data).output.isEmpty)
    }

    @Test("events are counted, not sequences, which have gaps")
    func gap() async throws {
        let directory = try TemporaryDirectory()
        try await store(directory, 1...20)
        // A copy of what a writer has open looks like what one leaves that was cut off: the sequences that it had
        // reserved are never used.
        let log = try EventLog.open("\(directory.path)/data", options: LogOptions(), environment: .system)
        let copy = try directory.copy(of: "\(directory.path)/data", to: "copy")
        try await log.close()
        let more = try directory.write(Self.lines(21...24), to: "more.ndjson")
        #expect(try await CommandRun("ingest", more, "--data", copy).status == 0)
        let snapshot = try StoreReader.snapshot(of: copy, options: LogOptions(), environment: .system).snapshot
        #expect(snapshot.lastSequence > Sequence(1_000_000))
        #expect(try await CommandRun("tail", "--data", copy).output == Self.lines(15...24))
        #expect(try await CommandRun("tail", "--data", copy, "--since", "22").output == Self.lines(21...24))
    }

    @Test("from a time, from behind an event, and the last of those")
    func since() async throws {
        let directory = try TemporaryDirectory()
        try await store(directory, 1...40)
        let data = ["--data", "\(directory.path)/data"]
        let even = stride(from: 2, through: 40, by: 2).map { Self.lines($0...$0) }
        #expect(try await CommandRun(["tail", "--since", "2013-02-21"] + data).output == even.joined())
        #expect(
            try await CommandRun(["tail", "--since", "2013-02-21T00:00:00Z", "-n", "3"] + data).output
                == even.suffix(3).joined())
        #expect(try await CommandRun(["tail", "--since", "38"] + data).output == Self.lines(39...40))
        let store = try StoreReader.snapshot(
            of: "\(directory.path)/data", options: LogOptions(), environment: .system
        ).snapshot.store
        let id = EventID(store: store, sequence: Sequence(37)).description
        #expect(try await CommandRun(["tail", "--since", id] + data).output == Self.lines(38...40))
        let foreign = EventID(store: StoreID(store.value ^ 1), sequence: Sequence(37)).description
        #expect(try await CommandRun(["tail", "--since", foreign] + data).status == 64)
        #expect(try await CommandRun(["tail", "--since", "41"] + data).status == 64)
        let now: @Sendable () -> UInt64 = { 1_361_404_800_000 + 4 * 600_000 + 3_600_000 - 1 }
        let hourAgo = try await WallClock.$now.withValue(now) {
            try await CommandRun(["tail", "--since", "1h"] + data)
        }
        #expect(hourAgo.output == Self.lines(40...40))
    }

    @Test("-f goes on with what is stored next, across a seal and another writer, and ends with its pipe")
    func follow() async throws {
        let directory = try TemporaryDirectory()
        try await store(directory, 1...5)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        signal(SIGPIPE, SIG_IGN)
        let console = Console(output: ends[1], talk: STDERR_FILENO)
        let arguments = ["tail", "-f", "-n", "2", "--data", "\(directory.path)/data"]
        let tail = Task { await Console.$current.withValue(console) { await Daybook.run(arguments) } }
        let output = PipeOutput(ends[0])
        #expect(await output.lines(2) == Self.lines(4...5))
        try await store(directory, 6...8)
        #expect(await output.lines(3) == Self.lines(6...8))
        let log = try EventLog.open("\(directory.path)/data", options: LogOptions(), environment: .system)
        try await log.seal()
        try await log.close()
        try await store(directory, 9...9)
        #expect(await output.lines(1) == Self.lines(9...9))
        close(ends[0])
        #expect(await tail.value == 0)
        close(ends[1])
    }

    @Test("--url needs a time or -f, and takes no number of events")
    func server() async throws {
        for options in [
            [], ["--since", "5"], ["--since", "1h", "-n", "3"], ["-f", "-n", "0"], ["--since", "1h", "--data", "x"],
        ] {
            #expect(try await CommandRun(["tail", "--url", "http://127.0.0.1:1"] + options).status == 64)
        }
    }
}
