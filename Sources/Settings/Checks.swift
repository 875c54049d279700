/// What holds between settings.
struct Checks {
    let reading: Reading

    init(_ reading: Reading) { self.reading = reading }

    func check(_ listeners: [Listener], _ tokens: [TokenEntry], metadata: String?) {
        unique(listeners.map { Value($0.name, "\($0.path).name", $0.origin) }, "the name")
        let fixed = listeners.filter { $0.address.port != 0 }
        unique(fixed.map { Value($0.address.description, "\($0.path).address", $0.origin) }, "the address")
        unique(tokens.enumerated().map { Value($1.name, "tokens[\($0)].name", .standard) }, "the name")
        unique(tokens.enumerated().map { Value($1.sha256, "tokens[\($0)].sha256", .standard) }, nil)
        for listener in listeners { beGuarded(listener) }
        beApart(listeners, metadata)
        if metadata != nil, !listeners.contains(where: { $0.role == .userMetadata }) {
            let wanted = "http_server, or a listener with role: user-metadata"
            reading.refuse(reading.origin("db_uri"), "db_uri", "is served by nothing; it needs \(wanted)")
        }
    }

    /// What nothing uses was meant for something.
    func check(_ users: UserSettings, _ listeners: [Listener]) {
        guard !listeners.contains(where: { $0.role == .userMetadata }) else { return }
        for case (let name, _?) in [("key_file", users.keyFile), ("country_database", users.countryDatabase)] {
            reading.refuse(reading.origin(name), name, "is used by nothing; it is for listeners of user-metadata")
        }
    }

    private struct Value {
        let text: String
        let setting: String
        /// Where the setting would be.
        let origin: Origin

        init(_ text: String, _ setting: String, _ origin: Origin) {
            (self.text, self.setting, self.origin) = (text, setting, origin)
        }
    }

    /// - Parameter noun: `nil` for values that are not shown.
    private func unique(_ values: [Value], _ noun: String?) {
        var seen: [String: String] = [:]
        for value in values {
            guard let first = seen[value.text] else {
                seen[value.text] = value.setting
                continue
            }
            let shown = noun.map { "\($0) \(quoted(value.text)) is taken by" } ?? "is the same as"
            let origin = reading.origin(value.setting)
            reading.refuse(origin == .standard ? value.origin : origin, value.setting, "\(shown) \(first)")
        }
    }

    /// Whoever can reach a listener can read everything, unless something asks who it is. A webhead is for everybody,
    /// and nothing can be read there.
    private func beGuarded(_ listener: Listener) {
        let asksForCertificates = listener.tls.map { $0.authority != nil && $0.clientAuth == .required } ?? false
        guard listener.role != .webhead, !listener.address.isLoopback, !listener.isInsecure, !asksForCertificates,
            listener.tokens != .required
        else {
            return
        }
        let setting = "\(listener.path).address"
        reading.refuse(
            reading.origin(setting), setting,
            "\(listener.address) can be reached from other machines, by anybody: set tls.ca, tokens: required, or "
                + "insecure: true (--insecure)")
    }

    /// The data of the two families is never in one place.
    private func beApart(_ listeners: [Listener], _ metadata: String?) {
        let others = listeners.filter { $0.role == .userMetadata }.compactMap(\.data) + (metadata.map { [$0] } ?? [])
        for listener in listeners where listener.role == .interactions || listener.role == .webhead {
            guard let data = listener.data, let metadata = others.first(where: { FileCheck.overlap(data, $0) }) else {
                continue
            }
            let own = "\(listener.path).data"
            let other = listener.role == .webhead ? "webhead.path" : "streams.interactions.path"
            let setting = reading.origin(own) == .standard ? other : own
            reading.refuse(
                reading.origin(setting), setting,
                "\(quoted(data)) and the user metadata in \(quoted(metadata)) overlap; keep them in separate directories"
            )
            return
        }
    }
}
