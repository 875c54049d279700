import Glibc
import LogEngine
import SegmentFormat
import TestSupport

@testable import WebAPI

/// A server on a loopback port, and the log behind it.
struct TestServer {
    let port: Int
    let log: EventLog
    let counters: Counters
    let drain: Drain
    /// What the log takes for the time.
    let clock: ManualClock
    private let running: RunningService<Server>

    /// Serves a fresh store while `body` runs, then shuts down in good order.
    static func run(
        on disk: any Disk, at directory: String, resolution: Resolution = .tenMinutes,
        heartbeat: Duration = .seconds(3_600), serving options: Server.Options = .patient,
        configured: (inout Server.Options, EventLog, Counters) throws -> Void = { _, _, _ in },
        _ body: (TestServer) async throws -> Void
    ) async throws {
        var storing = LogOptions()
        storing.resolution = resolution
        let environment = TestEnvironment()
        let log = try EventLog.open(directory, options: storing, environment: environment.on(disk))
        var serving = options
        serving.heartbeat = heartbeat
        let metrics = Metrics(of: log)
        try configured(&serving, log, metrics.counters)
        try await RunningService.run { listening in
            try Server(log: log, options: serving, logger: .silent, metrics: metrics, onListening: listening)
        } closing: {
            if log.health.failure == nil { try await log.close() }
        } _: { running in
            try await body(
                TestServer(
                    port: running.port, log: log, counters: running.service.counters, drain: serving.listener.drain,
                    clock: environment.clock, running: running))
        }
    }

    /// The same on the real file system.
    static func run(
        resolution: Resolution = .tenMinutes, heartbeat: Duration = .seconds(3_600),
        serving options: Server.Options = .patient,
        configured: (inout Server.Options, EventLog, Counters) throws -> Void = { _, _, _ in },
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        try await run(
            on: PosixDisk(), at: directory.path, resolution: resolution, heartbeat: heartbeat, serving: options,
            configured: configured, body)
    }

    /// The same as the options say.
    static func run(_ serving: Server.Options, _ body: (TestServer) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        try await run(on: PosixDisk(), at: directory.path, serving: serving, body)
    }

    func reloadCertificates() async throws {
        let server = running.service
        try await Blocking.run { server.reloadCertificates() }
    }

    func shutDown() async { await running.shutDown() }

    func ask(_ request: TestRequest) async throws -> Reply { try await request.reply(from: port) }

    func get(_ target: String, accept: String? = nil) async throws -> Reply {
        try await ask(TestRequest("GET", target, accept.map { [("accept", $0)] } ?? []))
    }

    func post(_ body: String, _ fields: [(String, String)] = []) async throws -> Reply {
        try await ask(TestRequest.events(body, fields))
    }

    /// Lines put past HTTP, for tests that need many bytes fast.
    func append(_ lines: Int, bytes: Int, bucket: Bucket = .ofTest(0)) async throws {
        let line = Array(
            #"{"timestamp":\#(bucket.milliseconds),"pad":"\#(String(repeating: "x", count: bytes))"}"#.utf8)
        for _ in 0..<lines {
            let batch = LineBatch(capacity: line.count + 1)
            line.withUnsafeBytes { batch.append($0, bucket: bucket) }
            _ = try await log.append(batch, delivery: nil)
        }
    }
}

extension ConnectionLimits {
    /// No limit of time that a busy machine might pass.
    static var patient: Self {
        var limits = Self()
        (limits.header, limits.body, limits.idle) = (.seconds(3_600), .seconds(3_600), .seconds(3_600))
        return limits
    }
}

extension Server.Options {
    static var patient: Self {
        var options = Self(host: "127.0.0.1", port: 0)
        options.listener.connections = .patient
        return options
    }
}

extension Server.Options {
    static func loopback(role: Role = .interactions, requests: RequestLimits = RequestLimits()) -> Server.Options {
        var options = Self.patient
        (options.role, options.listener.requests) = (role, requests)
        return options
    }
}

extension Counters {
    /// That nobody else counts in.
    convenience init() { self.init(MetricRegistry(MetricTable.all)) }
}
