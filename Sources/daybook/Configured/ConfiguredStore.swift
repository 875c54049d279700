import LogEngine
import SegmentFormat
import Settings
import WebAPI

/// A store that this process has open.
struct ConfiguredStore {
    let data: String
    let log: EventLog
    /// Where all its listeners count.
    let metrics: Metrics
    let tokens: TokenBook
    let audit: AccessAudit
    private let watch: TokenWatch
    private let place: JobPlace

    /// Opens a data directory, tells what recovery found, and takes up the policy that the configuration names.
    init(_ data: String, _ configuration: Configuration, _ console: Console) async throws {
        self.data = data
        tokens = TokenBook(configuration)
        watch = try TokenWatch(TokenFile(data: data, disk: PosixDisk()), tokens) { console.say($0) }
        log = try EventLog.open(data, options: LogOptions(configuration.interactions), environment: .system)
        metrics = Metrics(of: log)
        for note in log.report.notes { console.say(note) }
        for found in log.report.faults { console.say(found.description) }
        audit = AccessAudit(
            log, stream: LogOptions().stream, subjectKey: configuration.subjectKey?.bytes, counters: metrics.counters,
            now: WallClock.now, say: console.say)
        let named = NamedPolicy(configuration)
        place = JobPlace(log, JobBoard(named))
        do {
            try await named?.takeUp(log, console)
        } catch {
            try await log.close()
            throw error
        }
    }

    /// Events are served even where jobs cannot be, on a file system without sockets.
    func control(_ console: Console) async -> ControlServer? {
        let layout = Layout(data: data, stream: LogOptions().stream)
        do {
            return try await ControlServer(place, layout, console)
        } catch {
            console.say("\(layout.controlSocket): \(plainWords(error)); no job can run while this server does")
            return nil
        }
    }

    /// Takes over what becomes of the tokens, and makes the records of accesses durable.
    var chores: [Chore] {
        [Chore { [watch] in await watch.run() }, Chore { [audit] in await audit.run() }]
    }

    func upkeep(_ schedule: Schedule, _ console: Console) -> Upkeep {
        Upkeep(schedule, .system, console) { [place] console in
            try await MaintainCommand.parse([]).run(in: place, console)
        }
    }
}
