/// What is stronger than the file: flags, and the environment.
public struct Overrides: Sendable {
    /// The texts of those that were given, by their long names without dashes.
    public var flags: [String: String]
    public var environment: [String: String]

    public init(flags: [String: String] = [:], environment: [String: String] = [:]) {
        self.flags = flags
        self.environment = environment
    }

    /// All variables that set something begin with it.
    static let prefix = "DAYBOOK_"

    /// Where systemd puts a unit's credentials.
    var credentials: String? { environment["CREDENTIALS_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 } }

    /// The variable of a setting: that of its flag, where it has one.
    static func variable(_ path: String, flag: String?) -> String {
        let name = (flag ?? path).uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
        return prefix + String(name)
    }
}
