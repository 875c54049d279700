import LogEngine
import Logging
import SegmentFormat
import ServiceLifecycle
import TestSupport
import WebAPI

/// A storage server on a loopback port, which can be stopped and started again.
final class TestStorage {
    let directory: String
    private(set) var port = 0
    private var log: EventLog?
    private var group: ServiceGroup?
    private var running: Task<Void, any Error>?

    init(_ directory: String) { self.directory = directory }

    var url: String { "http://127.0.0.1:\(port)" }

    func start() async throws {
        let log = try EventLog.open(directory, options: LogOptions(), environment: .system)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let (ports, told) = AsyncStream<Int>.makeStream()
        var options = Server.Options(host: "127.0.0.1", port: port)
        options.listener.connections.header = .seconds(3_600)
        let server = try Server(
            log: log, options: options, logger: logger,
            onListening: { told.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        running = Task { try await group.run() }
        var all = ports.makeAsyncIterator()
        port = await all.next() ?? 0
        (self.log, self.group) = (log, group)
    }

    func stop() async throws {
        await group?.triggerGracefulShutdown()
        try await running?.value
        try await log?.close()
        (log, group, running) = (nil, nil, nil)
    }

    func lines() throws -> [String] {
        let (snapshot, _) = try StoreReader.snapshot(of: directory, options: LogOptions(), environment: .system)
        let scan = try Scan(snapshot, ScanRequest(order: .arrival))
        var lines: [String] = []
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
        }
        return lines
    }
}
