import Logging
import ServiceLifecycle

/// A service that listens on a port, while a test runs.
public struct RunningService<Served: Service>: Sendable {
    public typealias OnListening = @Sendable (Int) async -> Void

    /// It has ended before it listened, without an error.
    struct NeverListened: Error {}

    public let service: Served
    public let port: Int
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    /// Returns when it listens.
    ///
    /// - Parameter make: of what it is to call, with its port, when it does.
    public init(_ make: (@escaping OnListening) throws -> Served) async throws {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        service = try make { continuation.yield($0) }
        let group = ServiceGroup(configuration: .init(services: [service], logger: .silent))
        self.group = group
        running = Task {
            defer { continuation.finish() }
            try await group.run()
        }
        var all = ports.makeAsyncIterator()
        guard let port = await all.next() else {
            try await running.value
            throw NeverListened()
        }
        self.port = port
    }

    public func shutDown() async { await group.triggerGracefulShutdown() }

    /// Shuts it down, and returns when it has ended.
    public func end() async throws {
        await shutDown()
        try await running.value
    }

    /// Runs it as long as `body`.
    ///
    /// - Parameter close: what it has served; called when it has ended.
    public static func run<Result>(
        _ make: (@escaping OnListening) throws -> Served, closing close: () async throws -> Void,
        _ body: (RunningService) async throws -> Result
    ) async throws -> Result {
        let running = try await RunningService(make)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(running)) } catch { result = .failure(error) }
        try await running.end()
        try await close()
        return try result.get()
    }
}

extension Logger {
    /// Says nothing.
    public static var silent: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}
