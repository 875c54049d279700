import Settings
import WebAPI

/// What a configuration may say, and this version does not do: refused, so that nothing is ignored.
enum Unserved {
    static func faults(of configuration: Configuration) -> [ConfigurationFault] {
        configuration.listeners.flatMap { faults(of: $0, configuration) } + faults(ofMetadata: configuration)
    }

    private static func faults(of listener: Listener, _ configuration: Configuration) -> [ConfigurationFault] {
        if listener.role == .userMetadata { return [fault(ofRole: listener, configuration)] }
        // What a listener for browsers cannot have is a fault of the configuration itself.
        guard listener.role == .admin, configuration.webheadListeners.contains(listener) else { return [] }
        let parts = [
            ("acl", listener.rules != nil), ("tokens", listener.tokens == .required),
            ("trusted_forwarders", !listener.trustedForwarders.isEmpty),
        ]
        return parts.filter(\.1).map { part in
            ConfigurationFault(
                listener.origin, "\(listener.path).\(part.0)",
                "has no effect beside a webhead in daybook \(Build.version)")
        }
    }

    private static func fault(ofRole listener: Listener, _ configuration: Configuration) -> ConfigurationFault {
        let setting = "\(listener.path).role"
        let origin = configuration.origin(setting)
        return ConfigurationFault(
            origin == .standard ? listener.origin : origin, origin == .standard ? listener.path : setting,
            "the role \(listener.role.rawValue) is not served by daybook \(Build.version)")
    }

    private static func faults(ofMetadata configuration: Configuration) -> [ConfigurationFault] {
        [configuration.logins, configuration.lastLogins].compactMap { $0 }.map { stream in
            ConfigurationFault(
                stream.origin, "streams.\(stream.name.rawValue)",
                "user metadata is not kept by daybook \(Build.version)"
            )
        }
    }
}
