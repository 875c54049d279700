import LogEngine
import SegmentFormat

/// The streams `logins` and `last-logins` of a data directory with their views, open for writing (SPEC UM12–UM14).
public final class UserStore: Sendable {
    public struct Options: Sendable {
        /// How both streams are kept. Their resolution, where it is `nil`, is that of the store, or 1 h where it is
        /// made; their names and keys are known here.
        public var log = LogOptions()
        public var key: StoreKey
        public var countries: any CountryLookup = NoCountries()

        public init(key: StoreKey) { self.key = key }
    }

    public let logins: EventLog
    public let lastLogins: EventLog
    let door: Door
    let devices: LiveView<DeviceView>
    let last: LiveView<LastLoginView>
    private let environment: Environment

    private init(
        logins: EventLog, lastLogins: EventLog, devices: LiveView<DeviceView>, last: LiveView<LastLoginView>,
        _ options: Options, _ environment: Environment
    ) {
        self.logins = logins
        self.lastLogins = lastLogins
        self.devices = devices
        self.last = last
        self.environment = environment
        door = Door(resolution: logins.resolution, key: options.key, countries: options.countries)
    }

    /// Opens the store below `directory` as its one writer, and folds its events into the views.
    public static func open(
        _ directory: String, options: Options, environment: Environment
    ) async throws(UserStoreFault) -> UserStore {
        let devices = LiveView<DeviceView>(seed: environment.random())
        let last = LiveView<LastLoginView>(seed: environment.random())
        let logins = try UserStream(.logins, options.key.streamKeys()).open(directory, options, environment)
        do throws(UserStoreFault) {
            let keys = options.key.streamKeys(succession: last.succession)
            let lastLogins = try UserStream(.lastLogins, keys).open(directory, options, environment)
            do throws(UserStoreFault) {
                try replay(logins, into: devices)
                try replay(lastLogins, into: last)
            } catch {
                try await close(lastLogins)
                throw error
            }
            return UserStore(
                logins: logins, lastLogins: lastLogins, devices: devices, last: last, options, environment)
        } catch {
            try await close(logins)
            throw error
        }
    }

    private static func replay<View>(_ log: EventLog, into view: LiveView<View>) throws(UserStoreFault) {
        let snapshot = log.snapshot()
        // An answer that says less than was known would be taken for the truth.
        guard snapshot.horizon == .earliest else { throw .purged(snapshot.stream) }
        try view.replay(snapshot)
        guard snapshot.faults.isEmpty else { throw .damaged(snapshot.stream, snapshot.faults) }
    }

    private static func close(_ log: EventLog) async throws(UserStoreFault) {
        do throws(StoreError) { try await log.close() } catch { throw .log(error) }
    }

    /// Makes durable what waits, and gives up the locks; both streams are closed afterwards even if this throws.
    public func close() async throws(UserStoreFault) {
        var failure: StoreError?
        for log in [lastLogins, logins] {
            do throws(StoreError) { try await log.close() } catch { failure = failure ?? error }
        }
        if let failure { throw .log(failure) }
    }

    var now: UInt64 { environment.now() }
    var key: StoreKey { door.key }
}

extension StreamName {
    public static let logins = Self.known("logins")
    public static let lastLogins = Self.known("last-logins")

    private static func known(_ name: String) -> StreamName {
        guard let stream = StreamName(name) else { preconditionFailure("\(name) is no name of a stream") }
        return stream
    }
}

/// How a stream of user metadata is opened.
private struct UserStream {
    let name: StreamName
    let keys: StreamKeys

    init(_ name: StreamName, _ keys: StreamKeys) { (self.name, self.keys) = (name, keys) }

    func open(
        _ directory: String, _ options: UserStore.Options, _ environment: Environment
    ) throws(UserStoreFault) -> EventLog {
        var log = options.log
        log.stream = name
        log.keys = keys
        log.makesStore = options.log.makesStore && options.log.resolution != nil
        do throws(StoreError) {
            do throws(StoreError) {
                return try EventLog.open(directory, options: log, environment: environment)
            } catch {
                guard error.code == .missing, options.log.makesStore, options.log.resolution == nil else { throw error }
                (log.resolution, log.makesStore) = (.oneHour, true)
                return try EventLog.open(directory, options: log, environment: environment)
            }
        } catch { throw .log(error) }
    }
}

extension LiveView<LastLoginView> {
    /// A login before the last one to its service is needless.
    var succession: StreamKeys.Succession {
        StreamKeys.Succession(
            lines: { [self] in read { UInt64($0.rowCount) } },
            isSuperseded: { [self] line, bucket in
                // What cannot be read is not for a compaction to judge.
                do throws(StoredEntryFault) {
                    let login = try LastLogin(stored: line)
                    return read { $0.last(of: login.username, service: login.service) }.map { $0 > bucket } ?? false
                } catch { return false }
            })
    }
}
