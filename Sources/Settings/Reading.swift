/// One reading of a configuration: what is stronger than the file, and what was found on the way.
final class Reading {
    let overrides: Overrides
    let defaults: Configuration.Defaults
    /// Why a text is no pattern; `nil` where it is one.
    let patternFault: @Sendable (String) -> String?
    /// The file that is read.
    let file: String?
    private(set) var faults: [ConfigurationFault] = []
    private(set) var settings: [Setting] = []
    /// Variables and flags that set something.
    private var names: Set<String> = [Configuration.fileVariable]
    private var usedFlags: Set<String> = []

    init(
        _ overrides: Overrides, _ defaults: Configuration.Defaults, file: String?,
        patternFault: @escaping @Sendable (String) -> String?
    ) {
        self.overrides = overrides
        self.defaults = defaults
        self.file = file
        self.patternFault = patternFault
    }

    func refuse(_ origin: Origin, _ setting: String, _ message: String) {
        faults.append(ConfigurationFault(origin, setting, message))
    }

    func found(_ setting: Setting) { settings.append(setting) }

    /// Where a setting or a section comes from.
    func origin(_ path: String) -> Origin { settings.first { $0.name == path }?.origin ?? .standard }

    /// What a flag or a variable says of a setting, and which of them.
    func override(_ path: String, flag: String?) -> (text: String, origin: Origin)? {
        if let flag, let text = overrides.flags[flag] {
            usedFlags.insert(flag)
            names.insert(Overrides.variable(path, flag: flag))
            return (text, .flag("--\(flag)"))
        }
        // Elements of lists have no variable: their places change.
        guard flag != nil || !path.contains("[") else { return nil }
        let name = Overrides.variable(path, flag: flag)
        names.insert(name)
        return overrides.environment[name].map { ($0, .environment(name)) }
    }

    /// Whether one of these flags, or its variable, says something.
    func isOverridden(_ flags: [String]) -> Bool {
        flags.contains { overrides.flags[$0] != nil || variable(Overrides.variable("", flag: $0)) != nil }
    }

    /// A variable that may set something.
    func variable(_ name: String) -> String? {
        names.insert(name)
        return overrides.environment[name]
    }

    /// Refuses flags that set nothing here, and the variables of the same.
    func refuseUnused(_ flags: [String]) {
        let message = "is for the only listener, and there are others; say it in the file"
        for flag in flags where !usedFlags.contains(flag) && overrides.flags[flag] != nil {
            refuse(.flag("--\(flag)"), "", message)
        }
        for name in flags.map({ Overrides.variable("", flag: $0) }) {
            if !names.contains(name), overrides.environment[name] != nil { refuse(.environment(name), "", message) }
        }
    }

    /// What is to be said though nothing is refused: names of variables with a slip in them.
    var notes: [String] {
        let unknown = overrides.environment.keys.filter { $0.hasPrefix(Overrides.prefix) && !names.contains($0) }
        return unknown.sorted().compactMap { name in
            Suggestion.nearest(to: name, among: names).map { "\(name) sets nothing; did you mean \($0)?" }
        }
    }
}
