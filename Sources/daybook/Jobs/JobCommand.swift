import ArgumentParser
import LogEngine

/// A command that works on the open log of a store (SPEC §16): in this process where it can have the
/// lock, else in the server that has it, with the same output and exit code.
protocol JobCommand: AsyncParsableCommand {
    static var job: JobKind { get }
    var store: DataOptions { get }

    /// Throws `CancellationError` where it is cancelled before its end, which it should look out for.
    func run(on log: EventLog, _ console: Console) async throws
}

extension JobCommand {
    /// For the help of each.
    static var beside: String {
        "Works on a directory that nobody has open, and beside a server of the same user: then the server does it, with "
            + "the same output and exit code, and to its end even if this command is killed."
    }

    func run() async throws {
        try await JobRunner(directory: store.data, arguments: Daybook.arguments).run(self)
    }
}

/// What a job is, of which one of each kind runs at a time.
enum JobKind: String, Sendable {
    case seal
    case compact
    case purge
    case policy
    case hold
    case maintain
    case repair
    case spoolStatus = "spool status"
    case spoolDrain = "spool drain"
    case spoolRetry = "spool retry"
    case spoolReassign = "spool reassign"
}
