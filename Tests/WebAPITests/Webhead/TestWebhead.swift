import LogEngine
import NIOCore
import SegmentFormat
import Synchronization
import TestSupport

@testable import WebAPI

/// A webhead on a loopback port, the spool behind it, and what it asks of its surroundings.
final class TestWebhead: Sendable {
    let port: Int
    let log: EventLog
    let shared: WebheadServer.Shared
    let clock: ManualClock
    let state: State

    final class State: Sendable {
        let isFull = Mutex(false)
        let health = Mutex(WebheadHealth.well)
        let figures = Mutex(SpoolFigures())
    }

    private init(port: Int, log: EventLog, shared: WebheadServer.Shared, clock: ManualClock, state: State) {
        (self.port, self.log, self.shared, self.clock, self.state) = (port, log, shared, clock, state)
    }

    static func run(
        on disk: any Disk, at directory: String, _ options: WebheadOptions = WebheadOptions(),
        requests: RequestLimits = RequestLimits(), isForOperators: Bool = false,
        _ body: (TestWebhead) async throws -> Void
    ) async throws {
        let environment = TestEnvironment(clock: ManualClock(1_795_169_223_500))
        var logOptions = LogOptions()
        logOptions.stream = .spool
        let log = try EventLog.open(directory, options: logOptions, environment: environment.on(disk))
        let state = State()
        guard let keys = SessionKeys(secrets: [[UInt8](repeating: 7, count: 32)]) else {
            preconditionFailure("no keys")
        }
        let random = Mutex(SeededRandom(seed: 5))
        let surroundings = WebheadSurroundings(
            now: { environment.clock.now }, random: { random.withLock { $0.next() } },
            isFull: { state.isFull.withLock { $0 } }, health: { state.health.withLock { $0 } },
            figures: { state.figures.withLock { $0 } })
        let shared = WebheadServer.Shared(log: log, keys: keys, options: options, surroundings: surroundings)
        var serverOptions = WebheadServer.Options(ListenerOptions(host: "127.0.0.1", port: 0))
        serverOptions.isForOperators = isForOperators
        serverOptions.listener.requests = requests
        serverOptions.listener.connections = .patient
        try await RunningService.run { listening in
            try WebheadServer(shared, options: serverOptions, logger: .silent, onListening: listening)
        } closing: {
            if log.health.failure == nil { try await log.close() }
        } _: { running in
            try await body(
                TestWebhead(port: running.port, log: log, shared: shared, clock: environment.clock, state: state))
        }
    }

    static func run(
        _ options: WebheadOptions = WebheadOptions(), requests: RequestLimits = RequestLimits(),
        isForOperators: Bool = false, _ body: (TestWebhead) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        try await run(
            on: PosixDisk(), at: directory.path, options, requests: requests, isForOperators: isForOperators, body)
    }

    func ask(_ request: TestRequest) async throws -> Reply { try await request.reply(from: port) }

    /// As a browser holds it: the cookie that it was given, and the token.
    struct Jar {
        let cookie: String
        let token: String
    }

    func session(_ fields: [(String, String)] = []) async throws -> Jar {
        let reply = try await ask(TestRequest("GET", "/wsapi/session_context", fields))
        let cookie = reply.fields["set-cookie"]?.prefix { $0 != ";" } ?? ""
        let token = reply.text.split(separator: "\"").drop { $0 != "csrf_token" }.dropFirst(2).first ?? ""
        return Jar(cookie: String(cookie), token: String(token))
    }

    func post(_ data: String, _ jar: Jar, _ fields: [(String, String)] = []) async throws -> Reply {
        let type = fields.contains { $0.0 == "content-type" } ? [] : [("content-type", "application/json")]
        return try await ask(
            TestRequest(
                "POST", "/wsapi/interaction_data", [("cookie", jar.cookie)] + type + fields,
                body: #"{"data":\#(data),"csrf":"\#(jar.token)"}"#))
    }

    /// What `/metrics` would tell.
    var told: ScrapedMetrics {
        get throws { try ScrapedMetrics(String(buffer: shared.metrics.exposition())) }
    }

    /// Requests by the reason for which nothing of them was stored.
    var dropped: [String: Int] { shared.metrics.counters.refused.mapValues(\.requests) }

    var lines: [String] {
        get throws {
            let scan = try Scan(log.snapshot(), ScanRequest(order: .arrival))
            var lines: [String] = []
            while let chunk = try scan.next() {
                chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
            }
            return lines
        }
    }
}
