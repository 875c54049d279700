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
        LogEntry(
            bucket: bucket(try fields.time(LogField.timestamp) ?? now),
            username: try fields.required(LogField.username, UserBounds.username),
            type: try type(fields),
            service: try scrubbed(fields, LogField.service, UserBounds.name),
            loginMethod: try scrubbed(fields, LogField.loginMethod, UserBounds.name),
            message: try scrubbed(fields, LogField.message, UserBounds.text),
            device: try device(fields, LogField.device))
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

    /// `nil` where there is none, or nothing in it that is kept.
    func device(_ fields: Fields, _ field: some RawRepresentable<Int>) throws(BodyFault) -> DeviceInfo? {
        guard let fields = try fields.object(field.rawValue, DeviceField.all) else { return nil }
        let device = DeviceInfo(
            id: try fields.text(DeviceField.id, UserBounds.device).map(key.device),
            zone: try zone(fields),
            userAgent: try scrubbed(fields, DeviceField.userAgent, UserBounds.text, keepsVersions: true),
            browser: try scrubbed(fields, DeviceField.browser, UserBounds.name, keepsVersions: true),
            os: try scrubbed(fields, DeviceField.os, UserBounds.name, keepsVersions: true),
            isMobile: try fields.flag(DeviceField.mobile.rawValue))
        return device.isEmpty ? nil : device
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

    /// A text without addresses; `nil` where it is absent, empty, or was nothing but one.
    private func scrubbed(
        _ fields: Fields, _ field: some RawRepresentable<Int>, _ bounds: ClosedRange<Int>, keepsVersions: Bool = false
    ) throws(BodyFault) -> [UInt8]? {
        guard let text = try fields.text(field, 0...bounds.upperBound), !text.isEmpty else { return nil }
        return AddressText.withoutAddresses(text, keepsVersions: keepsVersions)
    }
}
