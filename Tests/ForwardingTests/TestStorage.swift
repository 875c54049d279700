import LogEngine
import SegmentFormat
import TestSupport
import WebAPI

/// A storage server on a loopback port, which can be stopped and started again.
final class TestStorage {
    let directory: String
    private(set) var port = 0
    private var log: EventLog?
    private var running: RunningService<Server>?

    init(_ directory: String) { self.directory = directory }

    var url: String { "http://127.0.0.1:\(port)" }

    func start() async throws {
        let log = try EventLog.open(directory, options: LogOptions(), environment: .system)
        var options = Server.Options(host: "127.0.0.1", port: port)
        options.listener.connections.header = .seconds(3_600)
        let running = try await RunningService { listening in
            try Server(log: log, options: options, logger: .silent, onListening: listening)
        }
        port = running.port
        (self.log, self.running) = (log, running)
    }

    func stop() async throws {
        try await running?.end()
        try await log?.close()
        (log, running) = (nil, nil)
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
