import LogEngine
import Logging
import ServiceLifecycle

/// What serves a log, and goes on to until nothing is in flight any more, though it was told to shut down (SPEC K4).
struct DrainedService {
    let service: any Service
    let log: EventLog
    let drain: Drain
    /// Is told where connections are cut.
    let note: @Sendable (String) -> Void
    let logger: Logger

    /// Where it is cancelled, connections are cut.
    func run() async throws {
        let group = ServiceGroup(services: [service], logger: logger)
        // Off this task, because its graceful shutdown must not be that of who still serves.
        let serving = Task.detached { try await group.run() }
        do {
            try await withTaskCancellationHandler {
                try await withGracefulShutdownHandler {
                    try await serving.value
                } onGracefulShutdown: { [log, drain] in
                    drain.begin(now: log.uptime())
                    log.stopFollowing()
                    Task.detached {
                        await drain.finish()
                        await group.triggerGracefulShutdown()
                    }
                }
            } onCancel: {
                if drain.isStopping { note("connections are cut that have not come to their end") }
                serving.cancel()
            }
        } catch is CancellationError where drain.isStopping {
            // Who did not come to an end in time has been cut, and that was told.
        }
    }
}

extension Logger {
    /// For what libraries have to say: errors alone.
    var quiet: Logger {
        var quiet = self
        quiet.logLevel = .error
        return quiet
    }
}
