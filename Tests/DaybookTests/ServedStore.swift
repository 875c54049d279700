import LogEngine
import TestSupport
import WebAPI

@testable import daybook

/// A new store behind a server of this process.
struct ServedStore {
    let log: EventLog
    let directory: String
    fileprivate let running: RunningService<Server>
    var server: Server { running.service }

    func snapshot() -> LogSnapshot { log.snapshot() }
    func shutDown() async { await running.shutDown() }
}

/// - Parameters:
///   - tls: `nil`: plain HTTP.
///   - body: takes the URL of the server.
func withServer(_ tls: TLSOptions? = nil, _ body: (String, ServedStore) async throws -> Void) async throws {
    let directory = try TemporaryDirectory()
    let log = try EventLog.open(directory.path, options: LogOptions(), environment: .system)
    var options = Server.Options(host: "127.0.0.1", port: 0)
    options.listener.tls = tls
    try await RunningService.run { listening in
        try Server(log: log, options: options, logger: .silent, onListening: listening)
    } closing: {
        try await log.close()
    } _: { running in
        let address = tls == nil ? "http://127.0.0.1" : "https://localhost"
        try await body(
            "\(address):\(running.port)", ServedStore(log: log, directory: directory.path, running: running))
    }
}
