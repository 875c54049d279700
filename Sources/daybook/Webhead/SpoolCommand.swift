import ArgumentParser
import Forwarding
import LogEngine
import SegmentFormat

/// A job of the spool: done by the webhead that has it, or by this process where none has.
protocol SpoolJob: StreamJob {
    var spool: SpoolData { get }
}

extension SpoolJob {
    var store: StreamOptions { StreamOptions() }

    func run() async throws {
        try await JobRunner(directory: .stream(spool.data, .spool), arguments: Daybook.arguments).run(self)
    }

    func run(in place: JobPlace, _ console: Console) async throws {
        for stream in place.streams { try await stream.board.run(self, on: stream.log, console) }
    }
}

struct SpoolData: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The directory of the spool.", valueName: "dir"), completion: .directory)
    var data = "./spool"
}

struct SpoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool",
        abstract: "Tells of events that are to be forwarded, and deals with servers that are lost.",
        discussion: """
            Where a webhead has the directory open, it does what is asked; else this command does.
            """,
        subcommands: [Status.self, Drain.self, Retry.self, Reassign.self])

    struct Drain: SpoolJob {
        static let job = JobKind.spoolDrain

        static let configuration = CommandConfiguration(
            commandName: "drain", abstract: "Forwards everything that is in the spool, and waits for it.",
            discussion: """
                Ends when storage servers have all events. Where no webhead runs, --storage says where they go.
                """)

        @OptionGroup var spool: SpoolData
        @OptionGroup var storage: StorageArguments

        func run(on log: EventLog, _ console: Console) async throws {
            if let forwarding = ForwardingService.current { return try await drain(forwarding, console) }
            guard !storage.servers.isEmpty else {
                throw CommandFailure(.usage, "no webhead runs here: --storage says where the events go")
            }
            let opened = try Spool(log, in: spool.data, .system)
            for note in opened.notes { console.say(note) }
            let forwarding = ForwardingService(opened, try storage.options(SpoolBounds()), .system) {
                console.say($0)
            }
            let running = Task { try await forwarding.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await drain(forwarding, console)) } catch { result = .failure(error) }
            forwarding.end()
            try await running.value
            try result.get()
        }

        private func drain(_ forwarding: ForwardingService, _ console: Console) async throws {
            let before = forwarding.status.record.tally.delivered
            guard await forwarding.drain() else {
                let left = forwarding.status.waitingEvents
                throw CommandFailure(.temporary, "\(left.grouped) events are left in the spool")
            }
            let sent = forwarding.status.record.tally.delivered - before
            try console.write("the spool is empty: \(sent.grouped) events were forwarded\n")
        }
    }

    struct Retry: SpoolJob {
        static let job = JobKind.spoolRetry

        static let configuration = CommandConfiguration(
            commandName: "retry", abstract: "Tries storage servers that failed at once.",
            discussion: "They are tried by themselves, too, after pauses of up to 30 s.")

        @OptionGroup var spool: SpoolData

        func run(on log: EventLog, _ console: Console) async throws {
            guard let forwarding = ForwardingService.current else {
                throw CommandFailure(.unavailable, "no webhead runs here: there is nothing to try again")
            }
            forwarding.retry()
            try console.write("every storage server is tried\n")
        }
    }

    struct Reassign: SpoolJob {
        static let job = JobKind.spoolReassign

        static let configuration = CommandConfiguration(
            commandName: "reassign", abstract: "Gives what a lost server may have to another one.",
            discussion: """
                A batch whose answer was lost may be stored by its server, and waits for it. Where that will never answer \
                again, this sends the batch to another one. From then on its events are stored at least once: where the \
                lost server comes back with them, they are there twice. Prints how many they are.
                """)

        @OptionGroup var spool: SpoolData

        @Argument(help: ArgumentHelp("The server, as daybook spool status names it.", valueName: "url"))
        var server: String

        func run(on log: EventLog, _ console: Console) async throws {
            let name = ServerName(server)
            let events: Int
            if let forwarding = ForwardingService.current {
                do {
                    events = try await forwarding.reassign(name)
                } catch .noOtherServer {
                    throw CommandFailure(.usage, "there is no other storage server")
                } catch .nothingUnknown {
                    events = 0
                }
            } else {
                events = try Spool(log, in: spool.data, .system).reassign(name)
            }
            guard events > 0 else {
                throw CommandFailure(.noInput, "there is no batch that \(server) may have")
            }
            try console.write("\(events.grouped) events that \(server) may have go to another server: at least once\n")
        }
    }
}
