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

    /// Both streams of user metadata lie in one place and are kept alike, for ever.
    private static func faults(ofMetadata configuration: Configuration) -> [ConfigurationFault] {
        let directories = configuration.userDirectories
        var faults: [ConfigurationFault] = []
        if let stream = configuration.lastLogins {
            faults.append(fault(stream, "", "is kept as streams.logins is, in daybook \(Build.version)"))
        }
        guard let logins = configuration.logins else { return faults }
        if !directories.contains(where: { DataDirectory.isSame($0, logins.data) }) || directories.count > 1 {
            faults.append(fault(logins, ".path", "is not the one directory that listeners serve user metadata of"))
        }
        if logins.policy != nil {
            faults.append(fault(logins, ".policy", "user metadata is not purged by daybook \(Build.version)"))
        }
        return faults
    }

    private static func fault(_ stream: StreamSettings, _ part: String, _ message: String) -> ConfigurationFault {
        ConfigurationFault(stream.origin, "streams.\(stream.name.rawValue)\(part)", message)
    }
}
