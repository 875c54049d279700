import LogEngine
import Logging
import Synchronization
import TestSupport
import Testing
import WebAPI

@testable import daybook

@Suite("what a server says (K1, K3)")
struct LogTests {
    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        func keep(_ line: String) { kept.withLock { $0.append(line) } }

        func logger(_ format: LineLogHandler.Format) -> Logger {
            Logger(label: "test", factory: { _ in LineLogHandler(format) { [self] in keep($0) } })
        }
    }

    private static let now: @Sendable () -> UInt64 = { 1_794_960_000_999 }

    @Test("a record is one JSON object on one line, without what libraries add")
    func json() {
        let lines = Lines()
        WallClock.$now.withValue(Self.now) {
            let logger = lines.logger(.json)
            logger.error(
                "it said \"no\"\nand ended",
                metadata: [
                    "reason": "no_space", "request": "00000000000000ab", "status": "507", "address": "192.0.2.1",
                ])
            logger.info("this is below what is told")
        }
        let line =
            #"{"time": "2026-11-18T00:00:00Z", "level": "error", "message": "it said \"no\"\u000aand ended", "#
            + #""request": "00000000000000ab", "status": 507, "reason": "no_space"}"# + "\n"
        #expect(lines.all == [line])
    }

    @Test("on a terminal it is text")
    func text() {
        let lines = Lines()
        let logger = lines.logger(.text)
        logger.notice("the policy is new")
        logger.error("a request failed", metadata: ["reason": "busy", "status": "503"])
        #expect(lines.all == ["the policy is new\n", "a request failed (status 503, reason busy)\n"])
    }

    @Test("talk becomes records, a line each")
    func talk() {
        let lines = Lines()
        let sink = LogSink(logger: lines.logger(.text), base: DescriptorSink(output: -1, talk: -1))
        Console(sink).say("one\ntwo")
        #expect(lines.all == ["one\n", "two\n"])
    }

    @Test("a minute is counted once, and one without anything is not told")
    func counts() async throws {
        let directory = try TemporaryDirectory()
        let log = try EventLog.open(directory.path, options: LogOptions(), environment: .system)
        let metrics = Metrics(of: log)
        let lines = Lines()
        let counts = MinuteCounts(metrics: metrics, logger: lines.logger(.text))
        var told = metrics.totals
        counts.tell(since: &told)
        #expect(lines.all.isEmpty)
        told.eventsIn = -7
        counts.tell(since: &told)
        counts.tell(since: &told)
        #expect(
            lines.all == [
                "requests of the last minute "
                    + "(answered 0, refused 0, failed 0, events_in 7, events_out 0, dropped 0)\n"
            ])
        try await log.close()
    }
}
