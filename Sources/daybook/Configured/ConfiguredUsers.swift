import Glibc
import LogEngine
import SegmentFormat
import Settings
import UserMetadata
import WebAPI

/// A store of user metadata that this process has open.
struct ConfiguredUsers {
    let data: String
    let store: UserStore
    /// Of its logins.
    let metrics: Metrics
    let tokens: TokenBook
    let audit: AccessAudit
    private let watch: TokenWatch
    private let boards = (logins: JobBoard(), lastLogins: JobBoard())

    /// Opens a data directory with its key, which is made with it, and tells what recovery found.
    init(_ data: String, _ configuration: Configuration, _ console: Console) async throws {
        self.data = data
        tokens = TokenBook(configuration)
        watch = try TokenWatch(TokenFile(data: data, disk: PosixDisk()), tokens) { console.say($0) }
        let keyFile = KeyFile.standard(data: data)
        let hasNoStore = access(Layout(data: data, stream: .logins).root, F_OK) != 0 && errno == ENOENT
        let environment = Environment.system
        var options = UserStore.Options(key: try keyFile.key(makes: hasNoStore, random: environment.random))
        if let stream = configuration.logins { options.log = LogOptions(stream) }
        store = try await UserStore.open(data, options: options, environment: environment)
        metrics = Metrics(of: store.logins)
        for log in [store.logins, store.lastLogins] {
            for note in log.report.notes { console.say(note) }
            for found in log.report.faults { console.say(found.description) }
        }
        audit = AccessAudit(
            store.logins, stream: .logins, subjectKey: configuration.subjectKey?.bytes, counters: metrics.counters,
            now: WallClock.now, say: console.say)
    }

    /// Takes over what becomes of the tokens, and makes the records of accesses durable.
    var chores: [Chore] {
        [Chore { [watch] in await watch.run() }, Chore { [audit] in await audit.run() }]
    }

    func upkeep(_ schedule: Schedule, _ console: Console) -> Upkeep {
        Upkeep(schedule, .system, console) { [store, boards] console in
            try await boards.logins.run(MaintainCommand.parse([]), on: store.logins, console)
            try await boards.lastLogins.run(MaintainCommand.parse([]), on: store.lastLogins, console)
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
