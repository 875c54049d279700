import LogEngine
import Logging
import ServiceLifecycle
import TestSupport
import WebAPI

@testable import daybook

/// A new store behind a server of this process.
struct ServedStore {
    let log: EventLog
    let directory: String
    let server: Server
    let group: ServiceGroup

    func snapshot() -> LogSnapshot { log.snapshot() }
    func shutDown() async { await group.triggerGracefulShutdown() }
}

/// - Parameters:
///   - tls: `nil`: plain HTTP.
///   - body: takes the URL of the server.
func withServer(_ tls: TLSOptions? = nil, _ body: (String, ServedStore) async throws -> Void) async throws {
    let directory = try TemporaryDirectory()
    let log = try EventLog.open(directory.path, options: LogOptions(), environment: .system)
    let (ports, port) = AsyncStream<Int>.makeStream()
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    var options = Server.Options(host: "127.0.0.1", port: 0)
    options.listener.tls = tls
    let server = try Server(log: log, options: options, logger: logger, onListening: { port.yield($0) })
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    let running = Task { try await group.run() }
    var all = ports.makeAsyncIterator()
    let result: Result<Void, any Error>
    do {
        let address = tls == nil ? "http://127.0.0.1" : "https://localhost"
        let served = ServedStore(log: log, directory: directory.path, server: server, group: group)
        result = .success(try await body("\(address):\(await all.next() ?? 0)", served))
    } catch {
        result = .failure(error)
    }
    await group.triggerGracefulShutdown()
    try await running.value
    try await log.close()
    try result.get()
}
