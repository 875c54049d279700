import LogEngine
import Logging
import ServiceLifecycle
import TestSupport
import UserMetadata

@testable import WebAPI

/// A server of user metadata on a loopback port.
struct UserServer {
    /// 2026-11-21T10:47:13Z.
    static let now: UInt64 = 1_795_258_033_000

    let port: Int
    let store: UserStore
    let counters: Counters

    static func run(
        configured: (inout Server.Options) -> Void = { _ in }, _ body: (UserServer) async throws -> Void
    ) async throws {
        let environment = TestEnvironment()
        environment.clock.set(now)
        let store = try await UserStore.open(
            "/data", options: UserStore.Options(key: StoreKey(Array(0..<32))),
            environment: environment.on(VirtualDisk()))
        let (ports, port) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        var options = Server.Options.loopback(role: .userMetadata)
        options.users = store
        configured(&options)
        let server = try Server(log: store.logins, options: options, logger: logger, onListening: { port.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let running = Task { try await group.run() }
        var all = ports.makeAsyncIterator()
        var failure: (any Error)?
        do {
            try await body(UserServer(port: await all.next() ?? 0, store: store, counters: server.counters))
        } catch {
            failure = error
        }
        await group.triggerGracefulShutdown()
        try await running.value
        try await store.close()
        if let failure { throw failure }
    }

    func ask(_ request: TestRequest) async throws -> Reply {
        let port = port
        return try await Blocking.run {
            let connection = try RawConnection(port)
            try connection.send(request.bytes)
            return try connection.readReply(toHead: request.method == "HEAD")
        }
    }

    func call(
        _ name: String, _ body: String, _ fields: [(String, String)] = [], type: String? = "application/json"
    ) async throws -> Reply {
        let types = type.map { [("content-type", $0)] } ?? []
        return try await ask(TestRequest("POST", "/api/\(name)", fields + types, body: body))
    }
}
