import Settings
import WebAPI

/// What a configuration may say, and this version does not do: refused, so that nothing is ignored.
enum Unserved {
    static func faults(of configuration: Configuration) -> [ConfigurationFault] {
        configuration.listeners.flatMap { faults(of: $0, configuration) } + faults(ofMetadata: configuration)
            + faults(ofSettings: configuration)
    }

    private static func faults(of listener: Listener, _ configuration: Configuration) -> [ConfigurationFault] {
        guard listener.role == .interactions || listener.role == .admin else {
            return [fault(ofRole: listener, configuration)]
        }
        let parts = [
            ("acl", listener.rules != nil), ("tokens", listener.tokens == .required),
            ("trusted_forwarders", !listener.trustedForwarders.isEmpty),
        ]
        return parts.filter(\.1).map { fault(listener.origin, "\(listener.path).\($0.0)") }
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

    private static func faults(ofSettings configuration: Configuration) -> [ConfigurationFault] {
        configuration.settings.filter { setting in
            let isMeant = setting.name.hasPrefix("tokens[") || setting.name.hasPrefix("keys.")
            return isMeant && setting.origin != .standard
        }.map { fault($0.origin, $0.name) }
    }

    private static func fault(_ origin: Origin, _ setting: String) -> ConfigurationFault {
        ConfigurationFault(origin, setting, "has no effect in daybook \(Build.version)")
    }
}
