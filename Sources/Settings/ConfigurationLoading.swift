extension Configuration {
    /// Reads a configuration, and looks at the files that it names.
    ///
    /// - Parameters:
    ///   - file: `nil` for what `$DAYBOOK_CONFIG` names, or else the standard one, which may be missing.
    ///   - patternFault: why a text is no pattern of a path or a name; `nil` where it is one.
    /// - Throws: all faults at once.
    public static func load(
        _ file: String?, _ overrides: Overrides, _ defaults: Defaults,
        patternFault: @escaping @Sendable (String) -> String?
    ) throws(ConfigurationError) -> Configuration {
        let named = file ?? overrides.environment[fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        guard let bytes = try contents(named ?? standardFile, isNeeded: named != nil) else {
            return try read(nil, Reading(overrides, defaults, file: nil, patternFault: patternFault))
        }
        let path = named ?? standardFile
        let tree = try YAMLFile.tree(bytes, file: path)
        return try read(tree, Reading(overrides, defaults, file: path, patternFault: patternFault))
    }

    /// `nil` where there is no file, and none is needed.
    private static func contents(_ path: String, isNeeded: Bool) throws(ConfigurationError) -> [UInt8]? {
        guard isNeeded || FileCheck.exists(path) else { return nil }
        do {
            return try FileCheck.contents(path, limit: ConfigurationBounds.fileBytes)
        } catch {
            throw ConfigurationError([.init(.standard, path, error.reason)], isMissing: true)
        }
    }

    private static func read(_ tree: Tree?, _ reading: Reading) throws(ConfigurationError) -> Configuration {
        let root = tree.map { Section($0, "", at: $0.place, reading) } ?? Section(absent: "", reading)
        let configuration = ConfigurationReader(root, reading).configuration()
        reading.refuseUnused(ListenerReader.flags)
        guard reading.faults.isEmpty else { throw ConfigurationError(reading.faults) }
        return configuration
    }
}
