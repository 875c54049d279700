/// Reads listeners: those of the list, and the one of user metadata that `http_server` describes.
struct ListenerReader {
    /// Data directories by family.
    struct Data {
        let interactions: String
        let metadata: String?
        let spool: String?
    }

    /// Those of `serve` that mean one listener.
    static let flags = ["addr", "insecure", "tls-cert", "tls-key", "tls-ca", "tls-client-auth"]
    static let standardAddress = Address(host: "127.0.0.1", port: 8080)
    static let metadataAddress = Address(host: "127.0.0.1", port: 5005)

    let limits: Limits
    let data: Data
    /// Whether flags mean this listener.
    let isAlone: Bool

    /// An entry of `listeners`.
    func listener(_ section: Section) -> Listener? {
        guard section.isPresent else { return nil }
        var section = section
        let role = section.required("role", Kind<Listener.Role>.choice)
        let name = section.value("name", .name, default: role?.rawValue ?? "listener")
        let address = section.required("address", .address, flag: flag("addr"))
        let directory = section.value("data", .path(credentials: nil))
        let parts = Parts(&section, limits, flag: flag("insecure"), rules: { section in section.rules("acl") })
        section.end()
        guard let role, let address else { return nil }
        let data = directory ?? standardData(role)
        if role == .userMetadata, data == nil {
            section.reading.refuse(section.origin, section.name("data"), "is missing; it is a path, as db_uri is")
        }
        return Listener(section, name, role, address, data: data, parts)
    }

    /// `http_server`, with the settings of the servers that came before.
    func described(_ section: Section) -> Listener? {
        var section = section
        let address = section.value("address", .address, flag: flag("addr"), default: Self.metadataAddress)
        var limits = limits
        let inFlight = section.value("max_inflight_requests", .whole(1...1_000_000))
        limits.inFlight = inFlight ?? limits.inFlight
        let timeout = section.value("request_timeout", .seconds(1_000...3_600_000))
        let parts = Parts(&section, limits, flag: flag("insecure"), requestTimeout: timeout, rules: { _ in nil })
        section.end()
        if data.metadata == nil {
            section.reading.refuse(section.origin, "db_uri", "is missing; it is the path of the user metadata")
        }
        return Listener(section, "user-metadata", .userMetadata, address, data: data.metadata, parts)
    }

    /// Where the file names none.
    func standard(_ reading: Reading) -> Listener? {
        var section = Section(absent: "listeners[0]", reading)
        let role = section.value("role", Kind<Listener.Role>.choice, default: .interactions)
        let name = section.value("name", .name, default: role.rawValue)
        let address = section.value("address", .address, flag: flag("addr"), default: Self.standardAddress)
        let parts = Parts(&section, limits, flag: flag("insecure"), rules: { _ in nil })
        return Listener(section, name, role, address, data: data.interactions, parts)
    }

    private func flag(_ name: String) -> String? { isAlone ? name : nil }

    private func standardData(_ role: Listener.Role) -> String? {
        switch role {
        case .interactions, .admin: data.interactions
        case .webhead: data.spool
        case .userMetadata: data.metadata
        }
    }

    /// What all kinds of listeners may say.
    fileprivate struct Parts {
        let tls: TLSFiles?
        let rules: [AccessRule]?
        let tokens: Listener.TokenUse
        let isInsecure: Bool
        let trustedForwarders: [Network]
        let identityHeader: String?
        let limits: Limits
        let requestTimeout: UInt64?

        init(
            _ section: inout Section, _ limits: Limits, flag: String?, requestTimeout: UInt64? = nil,
            rules: (inout Section) -> [AccessRule]?
        ) {
            let beside = rules(&section)
            var tlsSection = section.section("tls")
            // Beside the files, as in the servers that came before.
            let inside = section.path == "http_server" ? tlsSection.rules("acl") : nil
            self.rules = inside ?? beside
            tls = TLSFiles(&tlsSection, isAlone: flag != nil)
            tokens = section.value("tokens", Kind<Listener.TokenUse>.choice, default: .optional)
            isInsecure = section.value("insecure", .truth, flag: flag, default: false)
            trustedForwarders = section.values("trusted_forwarders", .network, atMost: ConfigurationBounds.forwarders)
            identityHeader = section.value("identity_header", .fieldName)
            if identityHeader != nil, trustedForwarders.isEmpty {
                section.reading.refuse(
                    section.origin(of: "identity_header"), section.name("identity_header"),
                    "needs trusted_forwarders: from anybody else it is not believed")
            }
            var limitSection = section.section("limits")
            self.limits = limitSection.isPresent ? Limits(&limitSection, over: limits) : limits
            self.requestTimeout = requestTimeout
        }
    }
}

extension Listener {
    fileprivate init(
        _ section: Section, _ name: String, _ role: Role, _ address: Address, data: String?,
        _ parts: ListenerReader.Parts
    ) {
        self.init(
            path: section.path, origin: section.origin, name: name, role: role, address: address, data: data,
            tls: parts.tls, rules: parts.rules,
            tokens: parts.tokens, isInsecure: parts.isInsecure, trustedForwarders: parts.trustedForwarders,
            identityHeader: parts.identityHeader, limits: parts.limits, requestTimeout: parts.requestTimeout)
    }
}
