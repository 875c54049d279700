/// What is said of user metadata beside its streams.
public struct UserSettings: Equatable, Sendable {
    /// Where the key is by which users and devices are known; `nil` for beside the data directory.
    public let keyFile: String?
    /// A database in MaxMind's format that says where addresses are.
    public let countryDatabase: String?

    /// Takes `key_file` and `country_database` of the whole file.
    init(_ root: inout Section) {
        let path = Kind<String>.path(credentials: root.reading.overrides.credentials)
        keyFile = root.value("key_file", path, flag: "key-file")
        countryDatabase = root.value("country_database", path)
        // A key that is not there yet is made with its store.
        if let keyFile, FileCheck.exists(keyFile) { root.look(at: keyFile, "key_file", isPrivate: true) }
        if let countryDatabase { root.look(at: countryDatabase, "country_database", isPrivate: false) }
    }
}
