import Settings
import WebAPI

/// What a configuration may say, and this version does not do: refused, so that nothing is ignored.
enum Unserved {
    static func faults(of configuration: Configuration) -> [ConfigurationFault] {
        configuration.listeners.flatMap { faults(of: $0, configuration) } + faults(ofMetadata: configuration)
    }

    private static func faults(of listener: Listener, _ configuration: Configuration) -> [ConfigurationFault] {
        listener.role == .userMetadata ? [fault(ofRole: listener, configuration)] : []
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
