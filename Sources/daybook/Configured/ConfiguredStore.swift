import LogEngine
import Logging
import SegmentFormat
import ServiceLifecycle
import Settings
import UserMetadata
import WebAPI

/// A store that this process has open, with what its listeners share and what goes on beside them.
struct ConfiguredStore {
    let data: String
    /// Where all its listeners count.
    let metrics: Metrics
    let tokens: TokenBook
    let audit: AccessAudit
    private let watch: TokenWatch
    private let place: JobPlace

    /// What its listeners serve.
    var log: EventLog { place.first }
    /// `nil` where it is one of interactions.
    var users: UserStore? { place.users }

    /// Opens a data directory of interactions.
    init(interactions data: String, _ configuration: Configuration, _ console: Console) async throws {
        try await self.init(data, configuration, console) {
            let log = try EventLog.open(data, options: LogOptions(configuration.interactions), environment: .system)
            return JobPlace(log, JobBoard(NamedPolicy(configuration)))
        }
    }

    /// Opens a data directory of user metadata with its key, which is made with it.
    init(users data: String, _ configuration: Configuration, _ console: Console) async throws {
        try await self.init(data, configuration, console) {
            let directory = UserDirectory(
                data: data, keyFile: configuration.users.keyFile, countryDatabase: configuration.users.countryDatabase)
            var options = UserStore.Options(key: try directory.key(makes: !directory.isThere))
            directory.note.map { console.say($0) }
            if let stream = configuration.logins { options.log = LogOptions(stream) }
            if let path = directory.countryDatabase { options.countries = try CountryDatabase(path) }
            let store = try await UserStore.open(data, options: options, environment: .system)
            let named = [store.logins, store.lastLogins].map(\.stream).compactMap { stream in
                NamedPolicy(configuration, stream).map { (stream, $0) }
            }
            return JobPlace(store, policies: Dictionary(uniqueKeysWithValues: named))
        }
    }

    /// Tells what recovery found, and takes up the policies that the configuration names.
    private init(
        _ data: String, _ configuration: Configuration, _ console: Console, open: () async throws -> JobPlace
    ) async throws {
        self.data = data
        tokens = TokenBook(configuration)
        watch = try TokenWatch(TokenFile(data: data, disk: PosixDisk()), tokens) { console.say($0) }
        place = try await open()
        place.tellFindings(console)
        let log = place.first
        metrics = place.users.map { Metrics(of: $0) } ?? Metrics(of: log)
        audit = AccessAudit(
            log, stream: log.stream, subjectKey: configuration.subjectKey?.bytes, counters: metrics.counters,
            now: WallClock.now, say: console.say)
        do {
            for stream in place.streams { try await stream.board.policy?.takeUp(stream.log, console) }
        } catch {
            try await place.close()
            throw error
        }
    }

    /// What goes on beside its listeners.
    ///
    /// - Parameters:
    ///   - schedule: when it is maintained; `nil`: never.
    ///   - logger: of what was answered each minute.
    func services(_ schedule: Schedule?, _ console: Console, _ logger: Logger) async -> [any Service] {
        let counts = MinuteCounts(metrics: metrics, logger: logger)
        var services: [any Service] = [
            Chore { [watch] in await watch.run() }, Chore { [audit] in await audit.run() },
            Chore { await counts.run() },
        ]
        if let control = await control(console) { services.append(control) }
        if let schedule { services.append(upkeep(schedule, console)) }
        return services
    }

    /// Events are served even where jobs cannot be, on a file system without sockets.
    private func control(_ console: Console) async -> ControlServer? {
        let layout = Layout(data: data, stream: log.stream)
        do {
            return try await ControlServer(place, layout, console)
        } catch {
            console.say("\(layout.controlSocket): \(plainWords(error)); no job can run while this server does")
            return nil
        }
    }

    private func upkeep(_ schedule: Schedule, _ console: Console) -> Upkeep {
        Upkeep(schedule, .system, console) { [place] console in
            try await MaintainCommand.parse([]).run(in: place, console)
        }
    }

    /// Makes the last records of accesses durable, and closes the store.
    func close() async throws {
        await audit.flush(all: true)
        try await place.close()
    }
}
