import LogEngine
import SegmentFormat

/// Runs a job where the store's lock is: in this process, or in the server that has it.
struct JobRunner {
    /// A server has the lock a moment before its socket answers and a moment after. Beyond so many looks
    /// another program has the lock.
    private static let tries = 10
    private static let pause = Duration.milliseconds(20)

    /// The data directory.
    let directory: String
    var stream = StreamName.interactions
    /// What the server is handed.
    let arguments: [String]

    func run(_ job: some JobCommand) async throws {
        let console = Console.current
        let layout = Layout(data: directory, stream: stream)
        let client = ControlClient(layout: layout, arguments: arguments)
        var looks = 0
        while true {
            let held: StoreError
            switch try open() {
            case .open(let log): return try await Self.run(job, on: log, console)
            case .locked(let error): held = error
            }
            switch try await client.handOver(console) {
            case .ended(.success): return
            case .ended(let status): throw CommandFailure(status, "")
            case .nobody: looks += 1
            }
            guard looks < Self.tries else { throw held }
            try await Task.sleep(for: Self.pause)
        }
    }

    private enum Opening {
        case open(EventLog)
        case locked(StoreError)
    }

    private func open() throws -> Opening {
        var options = LogOptions()
        options.stream = stream
        options.makesStore = false
        var environment = Environment.system
        environment.now = WallClock.now
        do {
            return .open(try EventLog.open(directory, options: options, environment: environment))
        } catch {
            guard error.code == .locked else { throw error }
            return .locked(error)
        }
    }

    /// Closes the log whatever happens. Where both fail, the job's failure is the one to tell.
    private static func run(_ job: some JobCommand, on log: EventLog, _ console: Console) async throws {
        for note in log.report.notes { console.say(note) }
        for found in log.report.faults { console.say(found.description) }
        var failure: (any Error)?
        do { try await JobBoard().run(job, on: log, console) } catch { failure = error }
        do { try await log.close() } catch { if failure == nil { failure = error } }
        if let failure { throw failure }
    }
}
