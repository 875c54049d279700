import Glibc
import LogEngine
import Logging
import SegmentFormat
import ServiceLifecycle
import Testing
import WebAPI

@testable import daybook

@Suite("ingest into a server")
struct ServerTests {
    private func withServer(_ body: (String, EventLog) async throws -> Void) async throws {
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
        try await body("http://127.0.0.1:\(await all.next() ?? 0)", log)
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
}
