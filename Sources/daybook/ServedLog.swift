import ServiceLifecycle
import UnixSignals
import WebAPI

/// The HTTP server and what is beside it: jobs, and the wish to load certificates again. They end at the same time.
struct ServedLog: Service {
    let server: Server
    /// SIGHUP.
    let hangups: UnixSignalsSequence
    /// `nil` where `control.sock` could not be made.
    let control: ControlServer?

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reload() }
            group.addTask { try await server.run() }
            if let control { group.addTask { try await control.run() } }
            try await group.waitForAll()
        }
    }

    private func reload() async {
        for await _ in hangups.cancelOnGracefulShutdown() { server.reloadCertificates() }
    }
}
