import LogEngine
import Synchronization

/// The jobs that this process runs, one of a kind at a time (SPEC J2).
final class JobBoard: Sendable {
    /// The one that the job of this task was started by; a job of several steps starts each with it.
    @TaskLocal static var current = JobBoard()

    /// The policy that this process was configured with, for the streams of its log.
    let policy: NamedPolicy?
    private let running = Mutex<Set<JobKind>>([])

    init(_ policy: NamedPolicy? = nil) { self.policy = policy }

    /// Runs a job, or refuses it with `alreadyRunning`.
    func run<Job: StreamJob>(_ job: Job, on log: EventLog, _ console: Console) async throws {
        try await run(Job.job) { try await job.run(on: log, console) }
    }

    func run(_ kind: JobKind, _ body: () async throws -> Void) async throws {
        guard running.withLock({ $0.insert(kind).inserted }) else {
            throw CommandFailure(.alreadyRunning, "a \(kind.rawValue) job is running already; wait for its end")
        }
        defer { running.withLock { _ = $0.remove(kind) } }
        try await Self.$current.withValue(self) { try await body() }
    }
}
