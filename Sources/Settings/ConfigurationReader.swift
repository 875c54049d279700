/// Reads the whole of a file, a section after the other.
struct ConfigurationReader {
    private var root: Section
    private let reading: Reading

    init(_ root: Section, _ reading: Reading) {
        self.root = root
        self.reading = reading
    }

    /// Means something only where `reading` has no faults.
    func configuration() -> Configuration {
        var reader = self
        return reader.read()
    }

    private mutating func read() -> Configuration {
        let threads = root.value("threads", .whole(1...256), flag: "threads")
        var limitSection = root.section("limits")
        let limits = Limits(&limitSection, over: reading.defaults.limits)
        let metadata = root.value("db_uri", .path(credentials: reading.overrides.credentials))
        let users = UserSettings(&root)
        var streamSection = root.section("streams")
        let streams = Streams(&streamSection, metadata: metadata)
        var webheadSection = root.section("webhead")
        let webhead = WebheadSettings(&webheadSection)
        let listeners = listeners(
            limits,
            ListenerReader.Data(interactions: streams.interactions.data, metadata: metadata, spool: webhead?.data))
        let tokens = root.sections("tokens", atMost: ConfigurationBounds.tokens).compactMap { TokenEntry($0) }
        var maintenance = root.section("maintain")
        let schedule = Schedule(&maintenance)
        let subjectKey = subjectKey()
        root.end()
        Checks(reading).check(listeners, tokens, metadata: metadata)
        Checks(reading).check(users, listeners)
        Checks(reading).check(webheadSection, webhead, listeners, streams.interactions)
        return Configuration(
            file: reading.file, listeners: listeners, interactions: streams.interactions, logins: streams.logins,
            lastLogins: streams.lastLogins, users: users, webhead: webhead, tokens: tokens, maintenance: schedule,
            subjectKey: subjectKey, threads: threads, settings: reading.settings, notes: reading.notes)
    }

    /// Those of the list, and the one that `http_server` describes. Where there is none: the standard one.
    private mutating func listeners(_ limits: Limits, _ data: ListenerReader.Data) -> [Listener] {
        let described = root.section("http_server")
        let isListed = root.holds("listeners")
        let isDescribed = root.holds("http_server") || data.metadata != nil && !isListed
        let listed = root.sections("listeners", atLeast: 1, atMost: ConfigurationBounds.listeners)
        let isAlone = listed.count + (isDescribed ? 1 : 0) <= 1
        let reader = ListenerReader(limits: limits, data: data, isAlone: isAlone)
        var listeners = listed.compactMap { reader.listener($0) }
        if isDescribed {
            reader.described(described).map { listeners.append($0) }
        } else if !isListed {
            reader.standard(reading).map { listeners.append($0) }
        }
        return listeners
    }

    private mutating func subjectKey() -> Secret? {
        var keys = root.section("keys")
        let key = SecretReader(reading).secret("subjects", &keys)
        keys.end()
        return key
    }
}
