import Glibc
import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import daybook

@Suite("commands beside a server")
struct ServerTests {
    private static func lines(_ count: Int) -> String {
        (1...count).map { #"{"timestamp":1361407200000,"n":\#($0)}"# + "\n" }.joined()
    }

    @Test("every event arrives once")
    func ingest() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.lines(25_000), to: "events.ndjson")
        try await withServer { url, log in
            let run = try await CommandRun("ingest", file, "--url", url + "/")
            #expect(run.status == 0)
            #expect(run.talk == "stored 25,000 events\n")
            #expect(log.snapshot().lastSequence == Sequence(25_000))
        }
    }

    @Test("with --compress they come as LZ4, and events that are all alike, which a server refuses so, as they are")
    func compressed() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.lines(25_000), to: "events.ndjson")
        let line = #"{"timestamp":1361407200000,"pad":"\#(String(repeating: "x", count: 300))"}"# + "\n"
        let alike = try directory.write(String(repeating: line, count: 40_000), to: "alike.ndjson")
        try await withServer { url, served in
            let run = try await CommandRun("ingest", file, "--url", url, "--compress")
            #expect(run.status == 0 && run.talk == "stored 25,000 events\n")
            let second = try await CommandRun("ingest", alike, "--url", url, "--compress")
            #expect(second.status == 0 && second.talk == "stored 40,000 events\n")
            #expect(served.server.counters.refused.keys.sorted() == ["coding_ratio"])
            #expect(served.server.counters.accepted == 65_000)
        }
        #expect(try await CommandRun("ingest", file, "--compress").status == 64)
    }

    @Test("a refused line is named by its place in the file")
    func refused() async throws {
        let directory = try TemporaryDirectory()
        let good = Self.lines(10_000)
        let file = try directory.write(good + "[]\n", to: "events.ndjson")
        try await withServer { url, _ in
            let run = try await CommandRun("ingest", file, "--url", url)
            #expect(run.status == 65)
            #expect(
                run.talk == """
                    stored 10,000 events
                    daybook: \(file): line 10001, byte \(good.utf8.count): this must be a JSON object (not_an_object)

                    """)
            let skipping = try await CommandRun("ingest", file, "--url", url, "--on-error", "skip")
            #expect(skipping.status == 65)
            #expect(skipping.talk.contains("stored 10,000 events\n"))
        }
    }

    @Test("read prints what the server has, in every form and order, page by page where a limit is beyond one")
    func read() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.lines(12_345), to: "events.ndjson")
        try await withServer { url, log in
            #expect(try await CommandRun("read", "--url", url).output.isEmpty)
            #expect(try await CommandRun("read", "--url", url, "--format", "rows").output == "[]\n")
            #expect(try await CommandRun("ingest", file, "--url", url).status == 0)
            for options in [
                [], ["--order", "arrival"], ["--limit", "10000"], ["--limit", "10001"], ["--limit", "12345"],
                ["--limit", "99999", "--order", "arrival"], ["--to", "2013-02-20"],
                ["--from", "2013-02-21T00:40:00Z", "--limit", "3"],
            ] {
                for format in ["ndjson", "rows"] {
                    let arguments = ["read", "--format", format] + options
                    let local = try await CommandRun(arguments + ["--data", log.directory])
                    let remote = try await CommandRun(arguments + ["--url", url])
                    #expect(remote.status == 0 && remote.talk.isEmpty, "\(arguments): \(remote.talk)")
                    #expect(local.output == remote.output, "\(arguments)")
                }
            }
        }
    }

    @Test("a dump that is sent again within a day is not stored again")
    func dump() async throws {
        let directory = try TemporaryDirectory()
        let rows = (1...10_500).map { #"{"id":"\#($0)","key":0,"value":{"timestamp":1361407200000,"n":\#($0)}}"# }
        let file = try directory.write("[" + rows.joined(separator: ",\n") + "]", to: "rows.json")
        try await withServer { url, log in
            for _ in 1...2 {
                let run = try await CommandRun("ingest", file, "--format", "couchdb", "--url", url)
                #expect(run.status == 0)
                #expect(log.snapshot().lastSequence == Sequence(10_500))
            }
            let bad = try directory.write(#"[{"value":{"timestamp":1}},{"doc":{"timestamp":0}}]"#, to: "bad.json")
            let run = try await CommandRun("ingest", bad, "--format", "couchdb", "--url", url)
            #expect(run.status == 65)
            #expect(run.talk.contains("bad.json: row 2, byte 47: "))
            #expect(log.snapshot().lastSequence == Sequence(10_500))
        }
    }

    @Test("tail follows a server, and says so when the server ends the answer")
    func tail() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.lines(3), to: "events.ndjson")
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let console = Console(output: ends[1], talk: STDERR_FILENO)
        let output = PipeOutput(ends[0])
        var tail: Task<Int32, Never>?
        try await withServer { url, _ in
            let first = try await CommandRun("ingest", file, "--url", url)
            #expect(first.status == 0)
            #expect(try await CommandRun("tail", "--since", "2013-02-21", "--url", url).output == Self.lines(3))
            let arguments = ["tail", "-f", "--since", "2013-02-21", "--url", url]
            tail = Task { await Console.$current.withValue(console) { await Daybook.run(arguments) } }
            #expect(await output.lines(3) == Self.lines(3))
            #expect(try await CommandRun("ingest", file, "--url", url).status == 0)
            #expect(await output.lines(3) == Self.lines(3))
        }
        #expect(await tail?.value == 69)
        for end in ends { close(end) }
    }

    @Test("tail -f begins with now, or behind an event, which is one of that store")
    func changes() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.lines(3), to: "events.ndjson")
        try await withServer { url, server in
            let first = try await CommandRun("ingest", file, "--url", url)
            #expect(first.status == 0)
            let store = server.snapshot().store
            let id = EventID(store: store, sequence: Sequence(2)).description
            let starts = [[], ["--since", "0"], ["--since", "2"], ["--since", id]]
            let last = String(Self.lines(3).dropFirst(Self.lines(2).count))
            let past = ["", Self.lines(3), last, last]
            var tails: [(output: PipeOutput, end: Int32)] = []
            var running: [Task<Int32, Never>] = []
            for start in starts {
                var ends: [Int32] = [0, 0]
                #expect(pipe(&ends) == 0)
                tails.append((PipeOutput(ends[0]), ends[0]))
                let console = Console(output: ends[1], talk: STDERR_FILENO)
                let end = ends[1]
                running.append(
                    Task {
                        let arguments = ["tail", "-f", "--url", url] + start
                        let status = await Console.$current.withValue(console) { await Daybook.run(arguments) }
                        close(end)
                        return status
                    })
            }
            for (tail, past) in zip(tails, past) where !past.isEmpty {
                #expect(await tail.output.lines(past.split(separator: "\n").count) == past)
            }
            while server.server.counters.streaming < starts.count { await Task.yield() }
            #expect(try await CommandRun("ingest", file, "--url", url).status == 0)
            for tail in tails { #expect(await tail.output.lines(3) == Self.lines(3)) }
            await server.shutDown()
            for tail in running { #expect(await tail.value == 69) }
            for tail in tails { close(tail.end) }
        }
    }

    @Test("nobody there is 69, a bad cursor or a server of another kind too")
    func unavailable() async throws {
        let run = try await CommandRun("read", "--url", "http://127.0.0.1:1")
        #expect(run.status == 69)
        #expect(run.talk == "daybook: cannot reach http://127.0.0.1:1: connection refused\n")
        try await withServer { url, _ in
            let other = try await CommandRun("read", "--url", url + "/other")
            #expect(other.status == 69)
            #expect(other.talk == "daybook: \(url)/other: the server answers 404: there is nothing at this path\n")
        }
    }
}
