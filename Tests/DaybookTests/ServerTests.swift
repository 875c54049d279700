import Glibc
import LogEngine
import Logging
import SegmentFormat
import ServiceLifecycle
import Testing
import WebAPI

@testable import daybook

@Suite("commands beside a server")
struct ServerTests {
    private struct Served {
        let log: EventLog
        let directory: String

        func snapshot() -> LogSnapshot { log.snapshot() }
    }

    private func withServer(_ body: (String, Served) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let log = try EventLog.open(directory.path, options: LogOptions(), environment: .system)
        let (ports, port) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let server = Server(
            log: log, options: .init(host: "127.0.0.1", port: 0), logger: logger,
            onListening: { port.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let running = Task { try await group.run() }
        var all = ports.makeAsyncIterator()
        try await body(
            "http://127.0.0.1:\(await all.next() ?? 0)", Served(log: log, directory: directory.path))
        await group.triggerGracefulShutdown()
        try await running.value
        try await log.close()
    }

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
                    daybook: \(file): line 10001, byte \(good.utf8.count): an event must be a JSON object (not_an_object)

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

    @Test("nobody there is 69, a bad cursor or a server of another kind too")
    func unavailable() async throws {
        let run = try await CommandRun("read", "--url", "http://127.0.0.1:1")
        #expect(run.status == 69 && run.talk.hasPrefix("daybook: http://127.0.0.1:1: "))
        try await withServer { url, _ in
            let other = try await CommandRun("read", "--url", url + "/other")
            #expect(other.status == 69)
            #expect(other.talk == "daybook: \(url)/other: the server answers 404: there is nothing at this path\n")
        }
    }
}
