/// Every bound of a configuration, and what happens beyond it: the file is refused.
enum ConfigurationBounds {
    static let fileBytes = 1 << 20
    /// Mappings and lists in one another.
    static let depth = 16
    /// What looks like an alias. They are all refused, but only a parsed file tells which of them are ones,
    /// and a parser can be made to take 2^n steps by n of them.
    static let aliases = 16
    /// Faults told at once; those beyond are counted.
    static let faults = 20
    static let listeners = 64
    static let accessRules = 1_000
    static let tokens = 1_000
    static let forwarders = 1_000
    static let dayTimes = 96
    static let origins = 100
    static let storageServers = 16
    static let secretFileBytes = 4_096
    /// Of a value that is quoted in a fault.
    static let quotedCharacters = 60
}
