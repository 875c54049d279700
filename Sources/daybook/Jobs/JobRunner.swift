import LogEngine
import SegmentFormat
import UserMetadata

/// A data directory as a job finds it.
enum JobDirectory {
    case stream(String, StreamName)
    case users(UserDirectory)

    /// Of the socket of the server that has it open.
    var layout: Layout {
        switch self {
        case .stream(let data, let stream): Layout(data: data, stream: stream)
        case .users(let directory): directory.layout
        }
    }
}

/// Runs a job where the store's lock is: in this process, or in the server that has it.
struct JobRunner {
    /// A server has the lock a moment before its socket answers and a moment after. Beyond so many looks
    /// another program has the lock.
    private static let tries = 10
    private static let pause = Duration.milliseconds(20)

    let directory: JobDirectory
    /// What the server is handed.
    let arguments: [String]
    /// Whether streams are opened without their views.
    var mends = false

    func run(_ job: some JobCommand) async throws {
        let console = Console.current
        let client = ControlClient(layout: directory.layout, arguments: arguments)
        var looks = 0
        while true {
            let held: any Error
            switch try await opening() {
            case .open(let place): return try await Self.run(job, in: place, console)
            case .closed(let error): held = error
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
        case open(JobPlace)
        /// A server may have what this process has not: the lock, or the key.
        case closed(any Error)
    }

    private func opening() async throws -> Opening {
        do {
            return .open(try await open())
        } catch {
            guard Self.isLocked(error) || error is KeyFileFault else { throw error }
            return .closed(error)
        }
    }

    private static func isLocked(_ error: any Error) -> Bool {
        if case UserStoreFault.log(let error) = error { return error.code == .locked }
        return (error as? StoreError)?.code == .locked
    }

    private func open() async throws -> JobPlace {
        switch directory {
        case .stream(let data, let stream):
            var options = LogOptions()
            options.stream = stream
            options.makesStore = false
            var environment = Environment.system
            environment.now = WallClock.now
            return JobPlace(try EventLog.open(data, options: options, environment: environment))
        case .users(let directory):
            return mends ? JobPlace(try await directory.logs()) : JobPlace(try await directory.open())
        }
    }

    /// Closes what is open whatever happens. Where both fail, the job's failure is the one to tell.
    private static func run(_ job: some JobCommand, in place: JobPlace, _ console: Console) async throws {
        place.tellFindings(console)
        var failure: (any Error)?
        do { try await job.run(in: place, console) } catch { failure = error }
        do { try await place.close() } catch { if failure == nil { failure = error } }
        if let failure { throw failure }
    }
}
