import ServiceLifecycle
import WebAPI

/// The HTTP server and the jobs beside it; both end at the same time.
struct ServedLog: Service {
    let server: Server
    /// `nil` where `control.sock` could not be made.
    let control: ControlServer?

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            if let control { group.addTask { try await control.run() } }
            try await group.waitForAll()
        }
    }
}
