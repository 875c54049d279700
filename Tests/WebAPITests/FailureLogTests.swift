import HTTPTypes
import LogEngine
import Logging
import Synchronization
import TestSupport
import Testing

@testable import WebAPI

@Suite("lines for failures (K2)")
struct FailureLogTests {
    /// Keeps what is logged.
    private final class Record: Sendable {
        private let kept = Mutex<[LogEvent]>([])
        var events: [LogEvent] { kept.withLock { $0 } }
        func keep(_ event: LogEvent) { kept.withLock { $0.append(event) } }

        var logger: Logger { Logger(label: "test", factory: { _ in Handler(record: self) }) }
    }

    private struct Handler: LogHandler {
        let record: Record
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { record.keep(event) }
    }

    @Test("ten lines of one reason a minute, each under the number of its answer, none of them twice")
    func bound() {
        let record = Record()
        let now = Atomic<UInt64>(100)
        let log = FailureLog(record.logger, uptime: { now.load(ordering: .relaxed) })
        let full = Problem(.insufficientStorage, "no_space", "the disk is full")
        var requests = (0..<25).map { _ in log.tell(full, full) }
        #expect(record.events.count == 10)
        requests.append(log.tell(.stopping, Problem.stopping))
        #expect(record.events.count == 11)
        now.store(60_000_000_099, ordering: .relaxed)
        requests.append(log.tell(full, full))
        #expect(record.events.count == 11)
        now.store(60_000_000_100, ordering: .relaxed)
        requests.append(log.tell(full, full))
        #expect(record.events.count == 12)
        #expect(Set(requests).count == requests.count && requests.allSatisfy { $0.count == 16 })
        let last = record.events.last
        #expect(last?.level == .error && last?.message == "a request failed: the disk is full")
        #expect(
            last?.metadata == ["request": .string(requests[27]), "status": "507", "reason": "no_space"])
    }

    @Test("a clock read before the minute began, by a thread that came second, counts within it")
    func overtaken() {
        let record = Record()
        let now = Atomic<UInt64>(100)
        let log = FailureLog(record.logger, uptime: { now.load(ordering: .relaxed) })
        _ = log.tell(.stopping, Problem.stopping)
        now.store(99, ordering: .relaxed)
        for _ in 0..<25 { _ = log.tell(.stopping, Problem.stopping) }
        #expect(record.events.count == 10)
    }

    @Test("a refusal that is the client's own has neither a line nor a number; a failure has both, on each way in")
    func answers() async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            let event = #"{"timestamp":1361407200000}"#
            #expect(try await server.post("no").fields["x-request-id"] == nil)
            disk.freeBytes = 0
            let small = try await server.post(event)
            let form = try await server.post("data=\(event)", [("content-type", "application/x-www-form-urlencoded")])
            #expect(small.status == 507 && form.status == 507)
            let numbers = [small, form].map { $0.fields["x-request-id"] }
            #expect(numbers.allSatisfy { $0?.count == 16 } && numbers[0] != numbers[1])
        }
    }
}
