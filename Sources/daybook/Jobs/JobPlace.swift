import LogEngine
import SegmentFormat
import UserMetadata

extension EventLog {
    var stream: StreamName { snapshot().stream }

    /// Tells what recovery found.
    func tellFindings(_ console: Console) {
        for note in report.notes { console.say(note) }
        for found in report.faults { console.say(found.description) }
    }
}

/// The open logs of a data directory, on which jobs work.
struct JobPlace: Sendable {
    struct Stream: Sendable {
        let log: EventLog
        /// Knows of all jobs on this log.
        let board: JobBoard
    }

    /// At least one.
    let streams: [Stream]
    /// `nil` where this is no user metadata, or its views are not open.
    let users: UserStore?

    init(_ log: EventLog, _ board: JobBoard = JobBoard()) {
        streams = [Stream(log: log, board: board)]
        users = nil
    }

    /// - Parameter policies: those that the configuration names.
    init(_ users: UserStore, policies: [StreamName: NamedPolicy] = [:]) {
        streams = [users.logins, users.lastLogins].map { log in
            Stream(log: log, board: JobBoard(policies[log.stream]))
        }
        self.users = users
    }

    /// Streams without their views, for what mends them.
    init(_ logs: [EventLog]) {
        streams = logs.map { Stream(log: $0, board: JobBoard()) }
        users = nil
    }

    /// The only one, or that of logins.
    var first: EventLog { streams[0].log }

    /// Tells what recovery found.
    func tellFindings(_ console: Console) {
        for note in users?.notes ?? [] { console.say(note) }
        for stream in streams { stream.log.tellFindings(console) }
    }

    /// Those that a command line means; `nil`: all.
    func streams(_ choice: StreamChoice?) throws(CommandFailure) -> [Stream] {
        guard let choice else { return streams }
        let chosen = streams.filter { $0.log.stream == choice.name }
        guard !chosen.isEmpty else { throw CommandFailure(.noInput, "there is no stream \(choice.rawValue) here") }
        return chosen
    }

    /// Closes all of it, also where a part fails.
    func close() async throws {
        if let users { return try await users.close() }
        var failure: (any Error)?
        for stream in streams {
            do { try await stream.log.close() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
