import LogEngine
import SegmentFormat
import Settings
import UserMetadata
import WebAPI

/// A store of user metadata that this process has open.
struct ConfiguredUsers {
    let data: String
    let store: UserStore
    let metrics: Metrics
    let tokens: TokenBook
    let audit: AccessAudit
    private let watch: TokenWatch
    private let directory: UserDirectory
    private let place: JobPlace

    /// Opens a data directory with its key, which is made with it, tells what recovery found, and takes up the policies
    /// that the configuration names.
    init(_ data: String, _ configuration: Configuration, _ console: Console) async throws {
        self.data = data
        tokens = TokenBook(configuration)
        watch = try TokenWatch(TokenFile(data: data, disk: PosixDisk()), tokens) { console.say($0) }
        directory = UserDirectory(
            data: data, keyFile: configuration.users.keyFile, countryDatabase: configuration.users.countryDatabase)
        var options = UserStore.Options(key: try directory.key(makes: !directory.isThere))
        directory.note.map { console.say($0) }
        if let stream = configuration.logins { options.log = LogOptions(stream) }
        if let path = directory.countryDatabase { options.countries = try CountryDatabase(path) }
        store = try await UserStore.open(data, options: options, environment: .system)
        metrics = Metrics(of: store)
        for note in store.notes { console.say(note) }
        for log in [store.logins, store.lastLogins] {
            for note in log.report.notes { console.say(note) }
            for found in log.report.faults { console.say(found.description) }
        }
        audit = AccessAudit(
            store.logins, stream: .logins, subjectKey: configuration.subjectKey?.bytes, counters: metrics.counters,
            now: WallClock.now, say: console.say)
        let logs = [store.logins, store.lastLogins]
        let named = logs.compactMap { log in NamedPolicy(configuration, log.stream).map { (log.stream, $0) } }
        let policies = Dictionary(uniqueKeysWithValues: named)
        place = JobPlace(store, policies: policies)
        do {
            for log in logs { try await policies[log.stream]?.takeUp(log, console) }
        } catch {
            try await store.close()
            throw error
        }
    }

    /// Users are served even where jobs cannot be, on a file system without sockets.
    func control(_ console: Console) async -> ControlServer? {
        do {
            return try await ControlServer(place, directory.layout, console)
        } catch {
            let socket = directory.layout.controlSocket
            console.say("\(socket): \(plainWords(error)); no job can run while this server does")
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

extension Configuration {
    /// Of user metadata, each once.
    var userDirectories: [String] {
        Self.each(listeners.filter { $0.role == .userMetadata }.compactMap(\.data))
    }

    /// Of interactions, each once.
    var storeDirectories: [String] {
        let users = userDirectories
        return Self.each(storeListeners.compactMap(\.data)).filter { data in
            !users.contains { DataDirectory.isSame($0, data) }
        }
    }

    /// Those that serve a directory, or tell of it.
    func listeners(of data: String) -> [Listener] {
        storeListeners.filter { $0.data.map { DataDirectory.isSame($0, data) } ?? false }
    }

    private static func each(_ directories: [String]) -> [String] {
        directories.reduce(into: []) { each, data in
            if !each.contains(where: { DataDirectory.isSame($0, data) }) { each.append(data) }
        }
    }
}
