extension Checks {
    /// - Parameter section: `webhead`.
    func check(
        _ section: Section, _ webhead: WebheadSettings?, _ listeners: [Listener], _ interactions: StreamSettings
    ) {
        let its = listeners.filter { $0.role == .webhead }
        for listener in its { check(listener, webhead) }
        if let listener = its.first, !section.isPresent {
            reading.refuse(listener.origin, "webhead", "is missing; \(listener.path) is one")
        }
        guard let webhead else { return }
        if its.isEmpty {
            reading.refuse(webhead.origin, "webhead", "is served by nothing; it needs a listener with role: webhead")
        }
        if DataDirectory.isSame(webhead.data, interactions.data) {
            reading.refuse(
                reading.origin("webhead.path"), "webhead.path",
                "\(quoted(webhead.data)) is that of the interactions; a spool has a directory of its own")
        }
    }

    /// Browsers come without a name, and there is one spool.
    private func check(_ listener: Listener, _ webhead: WebheadSettings?) {
        let strange = [
            ("acl", listener.rules != nil), ("tokens", listener.tokens == .required),
            ("trusted_forwarders", !listener.trustedForwarders.isEmpty),
        ]
        for (member, _) in strange.filter(\.1) {
            refuse(listener, member, "is not for a webhead: browsers come without a name")
        }
        guard let data = listener.data, let webhead, !DataDirectory.isSame(data, webhead.data) else { return }
        refuse(listener, "data", "is not webhead.path, which is where the spool is")
    }

    private func refuse(_ listener: Listener, _ member: String, _ message: String) {
        let setting = "\(listener.path).\(member)"
        let origin = reading.origin(setting)
        reading.refuse(origin == .standard ? listener.origin : origin, setting, message)
    }
}
