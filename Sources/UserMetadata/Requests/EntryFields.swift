// The names by which clients know the fields (SPEC UM1): each list in one place, with its aliases.

enum LogField: Int, CaseIterable {
    case username, type, timestamp, service, loginMethod, message, device, wrapped

    static let all = FieldList(
        Field("username", "user", "user_name"), Field("type", "log_type"), Field("timestamp", "time"),
        Field("service"), Field("login_method"), Field("message"), Field("device_info", "device"), Field("log"))
}

enum DeviceField: Int, CaseIterable {
    case id, zone, address, userAgent, browser, os, mobile

    static let all = FieldList(
        Field("id"), Field("remote_zone"), Field("remote_addr"), Field("user_agent"), Field("browser"), Field("os"),
        Field("mobile"))
}

enum LastLoginField: Int, CaseIterable {
    case username, service, timestamp, wrapped

    static let all = FieldList(
        Field("username", "user", "user_name"), Field("service"), Field("timestamp", "time"), Field("last_login"))
}

enum QuestionField: Int, CaseIterable {
    case username, service, maxDays, limit, cursor, device, usernames, days

    static let all = FieldList(
        Field("username", "user", "user_name"), Field("service"), Field("max_days"), Field("limit"),
        Field("cursor"), Field("device_info", "device"), Field("usernames", "users"), Field("days"))
}

extension Fields {
    func has(_ field: some RawRepresentable<Int>) -> Bool { has(field.rawValue) }

    func string(_ field: some RawRepresentable<Int>, _ bounds: ClosedRange<Int>) throws(BodyFault) -> JSONString? {
        try string(field.rawValue, bounds)
    }

    func text(_ field: some RawRepresentable<Int>, _ bounds: ClosedRange<Int>) throws(BodyFault) -> [UInt8]? {
        try text(field.rawValue, bounds)
    }

    func required(_ field: some RawRepresentable<Int>, _ bounds: ClosedRange<Int>) throws(BodyFault) -> [UInt8] {
        try required(field.rawValue, bounds)
    }

    /// A moment, in milliseconds; `nil` where there is none, or Go's zero time.
    func time(_ field: some RawRepresentable<Int>) throws(BodyFault) -> UInt64? {
        guard let text = try text(field, 0...64) else { return nil }
        switch RFC3339.read(text) {
        case .moment(let moment): return moment
        case .zero: return nil
        case nil: throw fault(.invalid("a moment of RFC 3339, from 1970 to 9999"), field.rawValue)
        }
    }

    /// The fields of a body that may stand in an object of their own, which counts where nothing does that
    /// has to be there.
    func unwrapped(
        required: some RawRepresentable<Int>, wrapped: some RawRepresentable<Int>, _ list: FieldList
    ) throws(BodyFault) -> Fields {
        guard !has(required), let inner = try object(wrapped.rawValue, list) else { return self }
        return inner
    }
}
