extension WebheadSettings {
    private static let standardData = "./spool"
    private static let sizes = Kind<Int>.size(1 << 16...1 << 50)
    private static let century: UInt64 = 36_525 * 86_400_000

    /// `nil` where there is no section, or a fault in it.
    init?(_ section: inout Section) {
        guard section.isPresent else { return nil }
        let path = Kind<String>.path(credentials: section.reading.overrides.credentials)
        origin = section.origin
        data = section.value("path", .path(credentials: nil), default: Self.standardData)
        resolution = section.value("resolution", .resolution)
        maxBytes = section.value("max_bytes", Self.sizes, default: 10 << 30)
        maxAge = section.value("max_age", .time(1_000...Self.century))
        sessionKeys = section.value("session_keys_file", path)
        drainTime = section.value("drain_for", .time(0...86_400_000), default: 30_000)
        var browserSection = section.section("browsers")
        browsers = BrowserSettings(&browserSection)
        var storageSection = section.section("storage")
        let storage = StorageSettings(&storageSection)
        section.end()
        // It is made where it is not there.
        if let sessionKeys, FileCheck.exists(sessionKeys) {
            section.look(at: sessionKeys, "session_keys_file", isPrivate: true)
        }
        guard let storage else { return nil }
        self.storage = storage
    }
}

extension BrowserSettings {
    fileprivate init(_ section: inout Section) {
        origins = section.values("origins", .origin, atMost: ConfigurationBounds.origins)
        isSecure = section.value("secure", .truth, default: false)
        bodyBytes = section.value("body_bytes", .size(1 << 10...1 << 20), default: 64 << 10)
        unknownFields = section.value("unknown_fields", Kind<UnknownFields>.choice, default: .pass)
        sampleRate = section.value("sample_rate", .share, default: 1)
        toldSampleRate = section.value("told_sample_rate", .share, default: 1)
        var rates = section.section("told_sample_rates")
        toldSampleRates = Dictionary(
            uniqueKeysWithValues: rates.names.compactMap { name in
                rates.value(name, .share).map { (name, $0) }
            })
        optOut =
            section.holds("opt_out")
            ? section.values("opt_out", Kind<OptOut>.choice, atMost: OptOut.allCases.count) : OptOut.allCases
        section.end()
    }
}

extension StorageSettings {
    /// `nil` where no server is named.
    fileprivate init?(_ section: inout Section) {
        let path = Kind<String>.path(credentials: section.reading.overrides.credentials)
        servers = section.values("servers", .url, atLeast: 1, atMost: ConfigurationBounds.storageServers)
        sendsForms = section.value("forms", .truth, default: false)
        coding = section.value("coding", Kind<Coding>.choice, default: .lz4)
        batchEvents = section.value("batch_events", .whole(1...10_000), default: 1_000)
        batchTime = section.value("batch_time", .time(1...3_600_000), default: 1_000)
        token = section.value("token_file", path)
        var tls = section.section("tls")
        certificate = tls.value("cert", path)
        key = tls.value("key", path)
        authority = tls.value("ca", path)
        tls.end()
        section.end()
        if let token { section.look(at: token, "token_file", isPrivate: true) }
        if let certificate { tls.look(at: certificate, "cert", isPrivate: false) }
        if let key { tls.look(at: key, "key", isPrivate: true) }
        if let authority { tls.look(at: authority, "ca", isPrivate: false) }
        if (certificate == nil) != (key == nil) {
            section.reading.refuse(tls.origin, tls.path, "cert and key go together")
        }
        if Set(servers).count < servers.count {
            section.reading.refuse(section.origin(of: "servers"), section.name("servers"), "names a server twice")
        }
        guard section.holds("servers") else {
            section.reading.refuse(
                section.origin, section.name("servers"), "is missing; it is a list of URLs, as http://10.0.0.5:8080")
            return nil
        }
    }
}

extension Kind<Double> {
    static let share = Kind(
        "a number from 0 to 1", isPlain: true, show: { "\($0)" },
        read: { text in
            let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
            return isDecimal ? Double(text).flatMap { (0...1).contains($0) ? $0 : nil } : nil
        })
}

extension Kind<String> {
    /// Of a server, without a `/` at its end.
    static let url = Kind(
        "a URL, such as http://10.0.0.5:8080 or https://store1.internal", show: { $0 },
        read: { text in
            let url = text.hasSuffix("/") ? String(text.dropLast()) : text
            return authority(of: url).map { _ in url }
        })

    /// Of pages, as browsers tell it (RFC 6454).
    static let origin = Kind(
        "an origin, such as https://login.example.org", show: { $0 },
        read: { text in authority(of: text).flatMap { $0.contains("/") || $0.contains("@") ? nil : text } })

    /// What stands behind the scheme of an HTTP URL.
    private static func authority(of url: String) -> Substring? {
        guard let scheme = ["http://", "https://"].first(where: { url.hasPrefix($0) }) else { return nil }
        let rest = url.dropFirst(scheme.count)
        let isPlain = rest.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3F && $0 != 0x23 }
        return !rest.isEmpty && rest.first != "/" && isPlain ? rest : nil
    }
}
