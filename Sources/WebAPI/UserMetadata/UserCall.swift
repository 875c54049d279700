/// The calls of the role `user-metadata` (SPEC UM15), by the last part of their paths.
enum UserCall: String, CaseIterable {
    case addLog = "add_log"
    case addLogs = "add_logs"
    case userLogs = "get_user_logs"
    case userDevices = "get_user_devices"
    case checkDevice = "check_device"
    case setLastLogin = "set_last_login"
    case lastLogin = "get_last_login"
    case unusedAccounts = "get_unused_accounts"
    case eraseUser = "erase_user"

    private static let byPath = Dictionary(uniqueKeysWithValues: allCases.map { ($0.path, $0) })

    init?(path: String) {
        guard let call = Self.byPath[path] else { return nil }
        self = call
    }

    var path: String { "/api/\(rawValue)" }

    /// What it has to be let in for.
    var need: AccessNeed {
        switch self {
        case .addLog, .addLogs, .setLastLogin: .scope(.ingest)
        case .userLogs, .userDevices, .checkDevice, .lastLogin, .unusedAccounts: .scope(.read)
        case .eraseUser: .scope(.admin)
        }
    }
}
