import Glibc
import LogEngine
import SegmentFormat
import UserMetadata

/// A directory of user metadata, and where its key is.
struct UserDirectory: Sendable {
    let data: String
    /// `nil`: beside it.
    let keyFile: String?
    /// Where addresses are, in MaxMind's format.
    var countryDatabase: String?

    private var file: KeyFile { keyFile.map { KeyFile($0) } ?? .standard(data: data) }

    var isThere: Bool { access(Layout(data: data, stream: .logins).root, F_OK) == 0 }

    /// Where jobs find the server that has it open.
    var layout: Layout { Layout(data: data, stream: .logins) }

    /// For what can be read without as well.
    var keyIfThere: StoreKey? {
        do throws(KeyFileFault) { return try key(makes: false) } catch { return nil }
    }

    /// - Parameter makes: whether it is made where there is none.
    func key(makes: Bool) throws(KeyFileFault) -> StoreKey {
        try file.key(makes: makes, random: Environment.system.random)
    }

    /// What there is to say of where the key lies.
    var note: String? {
        guard file.isInside(data) else { return nil }
        return "\(file.path): the key lies in the data directory; whoever copies that has both"
    }

    /// Opens both streams and their views. Makes none.
    func open() async throws -> UserStore {
        var options = UserStore.Options(key: try existingKey())
        options.log.makesStore = false
        if let countryDatabase { options.countries = try CountryDatabase(countryDatabase) }
        return try await UserStore.open(data, options: options, environment: Self.environment)
    }

    /// Opens both streams alone, whatever is wrong with what they hold.
    func logs() async throws -> [EventLog] {
        let key = try existingKey()
        var logs: [EventLog] = []
        do {
            for stream in [StreamName.logins, .lastLogins] {
                var options = LogOptions()
                options.stream = stream
                options.keys = key.streamKeys()
                options.makesStore = false
                logs.append(try EventLog.open(data, options: options, environment: Self.environment))
            }
        } catch {
            for log in logs { try await log.close() }
            throw error
        }
        return logs
    }

    /// A directory without a store is told as that, not as one without a key.
    private func existingKey() throws -> StoreKey {
        guard isThere else { throw CommandFailure(.noInput, "\(layout.root): there is no store here") }
        return try key(makes: false)
    }

    private static var environment: Environment {
        var environment = Environment.system
        environment.now = WallClock.now
        return environment
    }
}
