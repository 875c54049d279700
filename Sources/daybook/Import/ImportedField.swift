/// A field of an entry, by the names that columns have for it.
enum ImportedField: String, CaseIterable {
    case username
    case timestamp
    case type
    case service
    case loginMethod = "login_method"
    case message
    case deviceID = "id"
    case zone = "remote_zone"
    case address = "remote_addr"
    case userAgent = "user_agent"
    case browser
    case os
    case mobile
    case firstSeen = "first_seen"
    case lastSeen = "last_seen"

    /// In lower case, without anything but letters and digits.
    private var names: [String] {
        switch self {
        case .username: ["username", "user"]
        case .timestamp: ["timestamp", "time", "ts", "date", "datetime", "createdat", "lastlogin", "lastused"]
        case .type: ["type", "logtype", "eventtype"]
        case .service: ["service", "servicename"]
        case .loginMethod: ["loginmethod", "method", "authmethod"]
        case .message: ["message", "msg"]
        case .deviceID: ["deviceid", "deviceinfoid", "device"]
        case .zone: Self.ofDevice(["remotezone", "zone", "country"])
        case .address: Self.ofDevice(["remoteaddr", "remoteip", "ip", "address"])
        case .userAgent: Self.ofDevice(["useragent"])
        case .browser: Self.ofDevice(["browser"])
        case .os: Self.ofDevice(["os"])
        case .mobile: Self.ofDevice(["mobile", "ismobile"])
        case .firstSeen: ["firstseen", "createdat"]
        case .lastSeen: ["lastseen", "updatedat", "timestamp"]
        }
    }

    private static func ofDevice(_ names: [String]) -> [String] {
        names + names.map { "device" + $0 } + names.map { "deviceinfo" + $0 }
    }

    /// What describes a device.
    static let description: [ImportedField] = [.zone, .address, .userAgent, .browser, .os, .mobile]
    static let entry: [ImportedField] =
        [.username, .timestamp, .type, .service, .loginMethod, .message, .deviceID] + description
    static let lastLogin: [ImportedField] = [.username, .service, .timestamp]
    static let device: [ImportedField] = [.username, .deviceID, .firstSeen, .lastSeen] + description

    /// Which columns hold these fields. Where several could, the one with the first of the names.
    static func columns(_ fields: [ImportedField], of table: SQLiteFile.Table) -> [ImportedField: String] {
        var found: [ImportedField: String] = [:]
        for field in fields {
            // In a table of devices the id of the row is the device's.
            let names = fields == device && field == .deviceID ? field.names + ["id"] : field.names
            found[field] = names.lazy.compactMap { name in table.columns.first { plain($0) == name } }.first
        }
        return found
    }

    static func plain(_ name: String) -> String {
        name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
