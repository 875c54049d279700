import LogEngine
import SegmentFormat
import Synchronization
import TestSupport

@testable import Forwarding

/// A spool and what forwards it.
final class TestSpool {
    let directory: String
    let spool: Spool
    let service: ForwardingService
    private let running: Task<Void, any Error>
    private var next = 0

    /// - Parameter edit: of the options.
    init(
        _ directory: String, to servers: [String], _ edit: (inout ForwardingService.Options) -> Void = { _ in }
    ) throws {
        self.directory = directory
        let spool = try Self.open(directory)
        var options = ForwardingService.Options(servers: servers.map { ServerName($0) })
        options.policy.batchEvents = 10
        options.policy.batchMilliseconds = 1
        options.policy.firstPauseMilliseconds = 5
        options.policy.longestPauseMilliseconds = 20
        // No limit of time that a busy machine might pass.
        (options.storage.answerLimit, options.storage.connectLimit) = (.seconds(3_600), .seconds(3_600))
        edit(&options)
        let service = ForwardingService(spool, options, .system) { _ in }
        running = Task { try await service.run() }
        (self.spool, self.service) = (spool, service)
    }

    static func open(_ directory: String) throws -> Spool {
        let log = try EventLog.open(
            directory, options: Spool.options(SpoolBounds(), resolution: nil), environment: .system)
        return try Spool(log, in: directory, .system)
    }

    static func line(_ number: Int) -> String { #"{"timestamp":1795168800000,"n":\#(number)}"# }

    @discardableResult
    func append(_ count: Int, from first: Int? = nil) async throws -> [String] {
        let lines = (0..<count).map { Self.line((first ?? next) + $0) }
        next = (first ?? next) + count
        let batch = LineBatch()
        for line in lines {
            let bytes = Array(line.utf8)
            bytes.withUnsafeBytes { batch.append($0, bucket: Bucket(milliseconds: 1_795_168_800_000)) }
        }
        _ = try await spool.log.append(batch, delivery: nil)
        return lines
    }

    func close() async throws {
        service.end()
        try await running.value
        try await spool.log.close()
    }
}
