import ArgumentParser
import LogEngine
import SegmentFormat
import UserMetadata

/// A command that works on the open logs of a data directory (SPEC §16): in this process where it can have the
/// lock, else in the server that has it, with the same output and exit code.
protocol JobCommand: AsyncParsableCommand {
    static var job: JobKind { get }

    /// Throws `CancellationError` where it is cancelled before its end, which it should look out for.
    func run(in place: JobPlace, _ console: Console) async throws
}

extension JobCommand {
    /// For the help of each.
    static var beside: String {
        "Works on a directory that nobody has open, and beside a server of the same user: then the server does it, with "
            + "the same output and exit code, and to its end even if this command is killed."
    }
}

/// A job on each stream by itself.
protocol StreamJob: JobCommand {
    /// Whether it works on streams whose views cannot be made.
    static var mends: Bool { get }
    var store: StreamOptions { get }
    var json: Bool { get }

    func run(on log: EventLog, _ console: Console) async throws
}

extension StreamJob {
    static var mends: Bool { false }
    var json: Bool { false }

    func run() async throws {
        try await JobRunner(directory: store.place, arguments: Daybook.arguments, mends: Self.mends).run(self)
    }

    /// Where one of several streams fails, that does not keep the other from being worked on.
    func run(in place: JobPlace, _ console: Console) async throws {
        let streams = try place.streams(store.stream)
        guard streams.count > 1 else {
            for stream in streams { try await stream.board.run(self, on: stream.log, console) }
            return
        }
        var steps = Steps(console)
        for stream in streams {
            if !json { try console.write("\(stream.log.stream):\n") }
            try await steps.run { try await stream.board.run(self, on: stream.log, console) }
        }
        try steps.end()
    }
}

/// Work of several steps, of which one that fails does not keep the later ones from being done, unless these would
/// fail as it did.
struct Steps {
    private let console: Console
    private(set) var first: CommandFailure?

    init(_ console: Console) { self.console = console }

    mutating func run(_ step: () async throws -> Void) async throws {
        do {
            try await step()
        } catch {
            let failure = try Self.failure(ofOneStep: error)
            if !failure.message.isEmpty { console.say("daybook: \(failure.message)") }
            first = first ?? CommandFailure(failure.status, "")
        }
    }

    /// Fails as the first that did.
    func end() throws { if let first { throw first } }

    private static func failure(ofOneStep error: any Error) throws -> CommandFailure {
        if let error = error as? StoreError, ![.noSpace, .corrupt, .missing].contains(error.code) { throw error }
        guard let failure = CommandFailure(of: error) else { throw error }
        return failure
    }
}

extension JSONValue {
    /// A line of output. Of a stream that is not alone in its directory it says which it is.
    func line(of stream: StreamName) -> String {
        guard case .object(let members) = self, [.logins, .lastLogins].contains(stream) else {
            return description + "\n"
        }
        return JSONValue.object([("stream", .text(stream.description))] + members).description + "\n"
    }

    func line(of log: EventLog) -> String { line(of: log.stream) }
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
    case erase
    case users
    case importing = "import"
    case spoolStatus = "spool status"
    case spoolDrain = "spool drain"
    case spoolRetry = "spool retry"
    case spoolReassign = "spool reassign"
}
