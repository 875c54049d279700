/// The streams of a file.
struct Streams {
    let interactions: StreamSettings
    let logins: StreamSettings?
    let lastLogins: StreamSettings?

    private static let standardData = "./data"

    /// - Parameter metadata: where user metadata lies, if anything says so.
    init(_ section: inout Section, metadata: String?) {
        var interactions = section.section("interactions")
        let data = interactions.value("path", .path(credentials: nil), flag: "data", default: Self.standardData)
        self.interactions = StreamSettings(&interactions, .interactions, data, flags: true)
        logins = Self.metadata(.logins, &section, metadata)
        lastLogins = Self.metadata(.lastLogins, &section, metadata)
        section.end()
    }

    private static func metadata(
        _ name: StreamSettings.Name, _ section: inout Section, _ metadata: String?
    ) -> StreamSettings? {
        var stream = section.section(name.rawValue)
        guard stream.isPresent else { return nil }
        let data = stream.value("path", .path(credentials: nil)) ?? metadata
        if data == nil {
            stream.reading.refuse(stream.origin, stream.name("path"), "is missing; it is a path, as db_uri is")
        }
        return StreamSettings(&stream, name, data ?? "", flags: false)
    }
}

extension StreamSettings {
    private static let largest = 1 << 40
    private static let centuries: UInt64 = 36_525 * 86_400_000

    /// - Parameter flags: whether the flags of `serve` mean this stream.
    fileprivate init(_ section: inout Section, _ name: Name, _ data: String, flags: Bool) {
        let defaults = section.reading.defaults
        let flag = { (name: String) in flags ? name : nil }
        origin = section.origin
        self.name = name
        self.data = data
        resolution = section.value("resolution", .resolution, flag: flag("resolution"))
        sealBytes = section.value(
            "seal_bytes", .size(1 << 16...Self.largest), flag: flag("seal-bytes"), default: defaults.sealBytes)
        sealMilliseconds = section.value(
            "seal_after", .time(1...Self.centuries), flag: flag("seal-after"), default: defaults.sealMilliseconds)
        reserveBytes = section.value(
            "reserve", .size(1 << 16...Self.largest), flag: flag("reserve"), default: defaults.reserveBytes)
        policy = Self.policy(&section)
        section.end()
    }

    /// `forever`, or a mapping of limits.
    private static func policy(_ section: inout Section) -> Policy? {
        guard let tree = section.member("policy") else { return nil }
        if case .scalar("forever", _) = tree.content {
            section.reading.found(Setting(section.name("policy"), "forever", .file(tree.place)))
            return Policy(maxAgeMilliseconds: nil, maxBytes: nil, minFreeBytes: nil)
        }
        guard case .mapping = tree.content else {
            let allowed = "forever, or a mapping with max_age, max_bytes or min_free"
            section.reading.refuse(.file(tree.place), section.name("policy"), "is \(tree.kind), not \(allowed)")
            return nil
        }
        var limits = section.section("policy")
        section.reading.found(Setting(limits.path, "", limits.origin))
        let size = Kind<Int>.size(1 << 16...1 << 50)
        let policy = Policy(
            maxAgeMilliseconds: limits.value("max_age", .time(1...centuries)),
            maxBytes: limits.value("max_bytes", size), minFreeBytes: limits.value("min_free", size))
        limits.end()
        if !["max_age", "max_bytes", "min_free"].contains(where: { limits.holds($0) }) {
            section.reading.refuse(limits.origin, limits.path, "names no limit; write forever where none is meant")
        }
        return policy
    }
}
