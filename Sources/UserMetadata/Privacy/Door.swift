import SegmentFormat
import StrictJSON

/// Where what clients send becomes what may be stored (SPEC UM2–UM4): times floored, addresses made countries
/// or dropped, device ids hashed. Nothing else in this module sees the one side of it and the other.
public struct Door: Sendable {
    public let resolution: Resolution
    public let key: StoreKey
    private let countries: any CountryLookup

    public init(resolution: Resolution, key: StoreKey, countries: any CountryLookup) {
        self.resolution = resolution
        self.key = key
        self.countries = countries
    }

    func bucket(_ milliseconds: UInt64) -> Bucket { resolution.bucket(of: milliseconds) }

    func logEntry(_ fields: Fields, now: UInt64) throws(BodyFault) -> LogEntry {
        let bucket = bucket(try fields.time(LogField.timestamp) ?? now)
        let username = try fields.required(LogField.username, UserBounds.username)
        // Behind what came stand a time and the hash of an id.
        var line = JSONWriter(capacity: fields.range.count + 64)
        line.open("{")
        line.name("timestamp")
        line.time(bucket.milliseconds)
        line.name("username")
        line.string(username)
        line.optionalString("type", try type(fields))
        try write(fields, LogField.service, UserBounds.name, to: &line)
        try write(fields, LogField.loginMethod, UserBounds.name, to: &line)
        try write(fields, LogField.message, UserBounds.text, to: &line)
        var device: (info: DeviceInfo, description: Range<Int>)?
        if let fields = try fields.object(LogField.device.rawValue, DeviceField.all) {
            device = try writeDevice(fields, to: &line)
        }
        line.close("}")
        return LogEntry(
            bucket: bucket, username: username, device: device?.info, line: line.bytes,
            description: device?.description ?? 0..<0)
    }

    func lastLogin(_ fields: Fields, now: UInt64) throws(BodyFault) -> LastLogin {
        let service = try fields.required(LastLoginField.service, UserBounds.name)
        guard !AddressText.isAddress(service) else {
            throw fields.fault(.invalid("a name, not an address"), LastLoginField.service.rawValue)
        }
        return LastLogin(
            bucket: bucket(try fields.time(LastLoginField.timestamp) ?? now),
            username: try fields.required(LastLoginField.username, UserBounds.username),
            service: AddressText.scrubbed(service))
    }

    /// What a question says of a device; `nil` where that is nothing.
    func device(_ fields: Fields, _ field: some RawRepresentable<Int>) throws(BodyFault) -> DeviceInfo? {
        guard let fields = try fields.object(field.rawValue, DeviceField.all) else { return nil }
        var unused = JSONWriter()
        return try writeDevice(fields, to: &unused)?.info
    }

    /// Writes nothing where there is nothing that is kept. Returns what the device is known again by, and where it is
    /// described.
    private func writeDevice(
        _ fields: Fields, to line: inout JSONWriter
    ) throws(BodyFault) -> (info: DeviceInfo, description: Range<Int>)? {
        let before = line.bytes.count
        line.name("device_info")
        line.open("{")
        let start = line.bytes.count
        let info = DeviceInfo(id: try id(fields), zone: try zone(fields))
        if let id = info.id {
            line.name("id")
            line.hash(id)
        }
        line.optionalString("remote_zone", info.zone)
        let end = line.bytes.count
        try write(fields, DeviceField.userAgent, UserBounds.text, keepsVersions: true, to: &line)
        try write(fields, DeviceField.browser, UserBounds.name, keepsVersions: true, to: &line)
        try write(fields, DeviceField.os, UserBounds.name, keepsVersions: true, to: &line)
        if let isMobile = try fields.flag(DeviceField.mobile.rawValue) {
            line.name("mobile")
            line.flag(isMobile)
        }
        guard line.bytes.count > start else {
            line.cut(to: before)
            return nil
        }
        let hasComma = start < end && end < line.bytes.count
        let description = (hasComma ? end + 1 : end)..<line.bytes.count
        line.close("}")
        return (info, description)
    }

    private func id(_ fields: Fields) throws(BodyFault) -> Hash128? {
        guard let id = try fields.string(DeviceField.id, UserBounds.device) else { return nil }
        guard let plain = id.plain else { return key.device(id.text) }
        return key.device(plain)
    }

    /// What the client says, else where its address is.
    private func zone(_ fields: Fields) throws(BodyFault) -> [UInt8]? {
        let address = try fields.text(DeviceField.address, 0...UserBounds.name.upperBound)
        if let zone = try scrubbed(fields, DeviceField.zone, UserBounds.name) { return zone }
        return address.flatMap(AddressText.address).flatMap(countries.country)
    }

    private func type(_ fields: Fields) throws(BodyFault) -> [UInt8]? {
        guard let type = try fields.text(LogField.type, 0...UserBounds.type.upperBound), !type.isEmpty else {
            return nil
        }
        let isToken = type.allSatisfy {
            Ascii.isDigit($0) || Ascii.lowered($0) &- 0x61 < 26 || $0 == Ascii.minus || $0 == UInt8(ascii: "_")
                || $0 == UInt8(ascii: ".")
        }
        guard isToken, !AddressText.isAddress(type) else {
            throw fields.fault(.invalid("letters, digits, _, - and ."), LogField.type.rawValue)
        }
        return type
    }

    /// Writes a text without addresses, under the first name of its field; nothing where it is absent, empty, or was
    /// nothing but an address.
    private func write(
        _ fields: Fields, _ field: some RawRepresentable<Int>, _ bounds: ClosedRange<Int>,
        keepsVersions: Bool = false, to line: inout JSONWriter
    ) throws(BodyFault) {
        guard let string = try fields.string(field, 0...bounds.upperBound) else { return }
        let name = fields.key(field.rawValue)
        if let plain = string.plain, !AddressText.mayHoldAddress(plain) {
            if plain.isEmpty { return }
            line.name(name)
            line.plain(plain)
        } else {
            line.optionalString(name, AddressText.withoutAddresses(string.text, keepsVersions: keepsVersions))
        }
    }

    /// The same as a text.
    private func scrubbed(
        _ fields: Fields, _ field: some RawRepresentable<Int>, _ bounds: ClosedRange<Int>
    ) throws(BodyFault) -> [UInt8]? {
        guard let text = try fields.text(field, 0...bounds.upperBound), !text.isEmpty else { return nil }
        return AddressText.withoutAddresses(text)
    }
}
