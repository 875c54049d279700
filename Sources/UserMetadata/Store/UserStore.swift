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
    /// What opening has to tell: which checkpoints could not be used.
    public let notes: [String]
    let door: Door
    let devices: LiveView<DeviceView>
    let last: LiveView<LastLoginView>
    private let environment: Environment

    private init(
        logins: EventLog, lastLogins: EventLog, devices: LiveView<DeviceView>, last: LiveView<LastLoginView>,
        notes: [String], _ options: Options, _ environment: Environment
    ) {
        self.notes = notes
        self.logins = logins
        self.lastLogins = lastLogins
        self.devices = devices
        self.last = last
        self.environment = environment
        door = Door(resolution: logins.resolution, key: options.key, countries: options.countries)
    }

    /// Opens the store below `directory` as its one writer, and makes the views anew: from their checkpoints and
    /// the events behind them.
    public static func open(
        _ directory: String, options: Options, environment: Environment
    ) async throws(UserStoreFault) -> UserStore {
        let seed = environment.random()
        let devices = LiveView<DeviceView>(seed: seed)
        let last = LiveView<LastLoginView>(seed: seed)
        let logins = try UserStream(.logins, options.key.streamKeys()).open(directory, options, environment)
        do throws(UserStoreFault) {
            let keys = options.key.streamKeys(succession: last.succession)
            let lastLogins = try UserStream(.lastLogins, keys)
                .open(directory, options, environment, audit: logins.audit)
            let notes: [String]
            do throws(UserStoreFault) {
                async let others = last.restored(from: lastLogins, options.key, seed: seed)
                let found = (await devices.restored(from: logins, options.key, seed: seed), await others)
                notes = try found.0.get() + found.1.get()
                try openSegments(of: logins)
            } catch {
                try await close(lastLogins)
                throw error
            }
            logins.keep(devices.source(options.key))
            lastLogins.keep(last.source(options.key))
            return UserStore(
                logins: logins, lastLogins: lastLogins, devices: devices, last: last, notes: notes, options,
                environment)
        } catch {
            try await close(logins)
            throw error
        }
    }

    private static func openSegments(of log: EventLog) throws(UserStoreFault) {
        do throws(StoreError) { try log.snapshot().openSegments() } catch { throw .log(error) }
    }

    private static func close(_ log: EventLog) async throws(UserStoreFault) {
        do throws(StoreError) { try await log.close() } catch { throw .log(error) }
    }

    /// Writes checkpoints of both views, unless nothing happened since the last ones. To be done before
    /// compactions: what came behind the last checkpoint is not joined with what came before.
    public func checkpoint() async throws(StoreError) {
        try await logins.checkpoint()
        try await lastLogins.checkpoint()
    }

    /// Writes checkpoints, makes durable what waits, and gives up the locks; both streams are closed afterwards even
    /// if this throws.
    public func close() async throws(UserStoreFault) {
        var failure: StoreError?
        do throws(StoreError) { try await checkpoint() } catch {
            // Where there is no room for it the next open only has more to fold.
            if error.code != .noSpace { failure = error }
        }
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
        _ directory: String, _ options: UserStore.Options, _ environment: Environment, audit: AuditTrail? = nil
    ) throws(UserStoreFault) -> EventLog {
        var log = options.log
        log.stream = name
        log.keys = keys
        log.makesStore = options.log.makesStore && options.log.resolution != nil
        do throws(StoreError) {
            do throws(StoreError) {
                return try EventLog.open(directory, options: log, environment: environment, audit: audit)
            } catch {
                guard error.code == .missing, options.log.makesStore, options.log.resolution == nil else { throw error }
                (log.resolution, log.makesStore) = (.oneHour, true)
                return try EventLog.open(directory, options: log, environment: environment, audit: audit)
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
