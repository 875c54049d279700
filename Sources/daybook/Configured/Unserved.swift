import Settings
import WebAPI

/// What a configuration may say, and this version does not do: refused, so that nothing is ignored.
enum Unserved {
    static func faults(of configuration: Configuration) -> [ConfigurationFault] {
        configuration.listeners.flatMap { faults(of: $0, configuration) } + faults(ofMetadata: configuration)
    }

    private static func faults(of listener: Listener, _ configuration: Configuration) -> [ConfigurationFault] {
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

    /// Both streams of user metadata lie in one place, and are kept alike but for their policies.
    private static func faults(ofMetadata configuration: Configuration) -> [ConfigurationFault] {
        let directories = configuration.userDirectories
        var faults: [ConfigurationFault] = []
        for stream in [configuration.logins, configuration.lastLogins].compactMap(\.self)
        where !directories.contains(where: { DataDirectory.isSame($0, stream.data) }) || directories.count > 1 {
            let message = "is not the one directory that listeners serve user metadata of"
            faults.append(ConfigurationFault(stream.origin, "streams.\(stream.name.rawValue).path", message))
        }
        let path = "streams.\(StreamSettings.Name.lastLogins.rawValue)"
        for part in ["resolution", "seal_bytes", "seal_after", "reserve"] {
            let setting = "\(path).\(part)"
            let origin = configuration.origin(setting)
            guard origin != .standard else { continue }
            faults.append(
                ConfigurationFault(origin, setting, "is that of streams.logins, in daybook \(Build.version)"))
        }
        return faults
    }
}
