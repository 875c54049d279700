extension TLSFiles {
    private static let flags = ["tls-cert", "tls-key", "tls-ca", "tls-client-auth"]

    /// `nil` where there is no section and no flag for it, or a fault in it.
    ///
    /// - Parameter isAlone: whether flags mean this listener.
    init?(_ section: inout Section, isAlone: Bool) {
        guard section.isPresent || isAlone && section.reading.isOverridden(Self.flags) else { return nil }
        let flag = { (name: String) in isAlone ? name : nil }
        let reading = section.reading
        let path = Kind<String>.path(credentials: reading.overrides.credentials)
        let certificate = section.required("cert", path, flag: flag("tls-cert"))
        let key = section.required("key", path, flag: flag("tls-key"))
        let authority = section.value("ca", path, flag: flag("tls-ca"))
        let clientAuth = section.value("client_auth", Kind<ClientAuth>.choice, flag: flag("tls-client-auth"))
        section.end()
        if clientAuth != nil, authority == nil {
            reading.refuse(section.origin(of: "client_auth"), section.name("client_auth"), "needs ca")
        }
        let files = [("cert", certificate), ("key", key), ("ca", authority)]
        for case (let member, let file?) in files {
            section.look(at: file, member, isPrivate: member == "key")
        }
        guard let certificate, let key else { return nil }
        self.init(certificate: certificate, key: key, authority: authority, clientAuth: clientAuth ?? .required)
    }
}

extension Section {
    /// A list of rules, or a mapping with one as `allow`.
    mutating func rules(_ member: String) -> [AccessRule]? {
        guard let tree = self.member(member) else { return nil }
        let limit = ConfigurationBounds.accessRules
        guard case .mapping = tree.content else {
            return sections(member, atMost: limit).compactMap { AccessRule($0) }
        }
        var list = section(member)
        if !list.holds("allow") { reading.refuse(list.origin, list.name("allow"), "is missing; it is a list of rules") }
        let rules = list.sections("allow", atMost: limit).compactMap { AccessRule($0) }
        list.end()
        return rules
    }
}

extension AccessRule {
    /// `nil` where there is a fault in it.
    init?(_ section: Section) {
        guard section.isPresent else { return nil }
        var section = section
        let pattern = Kind<String>.pattern(section.reading.patternFault)
        let path = section.required("path", pattern)
        let name = section.required("cn", pattern)
        section.end()
        guard let path, let name else { return nil }
        self.init(path: path, commonName: name)
    }
}

extension TokenEntry {
    /// `nil` where there is a fault in it.
    init?(_ section: Section) {
        guard section.isPresent else { return nil }
        var section = section
        let name = section.required("name", .name)
        let hash = section.required("sha256", .sha256)
        let scopes = section.values("scopes", Kind<Scope>.choice, atLeast: 1, atMost: Scope.allCases.count)
        let streams = section.values(
            "streams", Kind<StreamSettings.Name>.choice, atLeast: 1, atMost: StreamSettings.Name.allCases.count)
        if !section.holds("scopes") {
            section.reading.refuse(
                section.origin, section.name("scopes"), "is missing; it is a list of ingest, read, admin")
        }
        section.end()
        guard let name, let hash else { return nil }
        self.init(name: name, sha256: hash, scopes: scopes, streams: section.holds("streams") ? streams : nil)
    }
}
