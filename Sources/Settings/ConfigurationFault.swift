/// Something that is wrong in a configuration.
public struct ConfigurationFault: Error, Equatable, Sendable, CustomStringConvertible {
    public let origin: Origin
    /// As `listeners[0].tls.key`; empty where no setting is meant.
    public let setting: String
    /// What is wrong, and what is allowed.
    public let message: String

    public init(_ origin: Origin, _ setting: String, _ message: String) {
        self.origin = origin
        self.setting = setting
        self.message = message
    }

    public var description: String {
        let origin = origin == .standard ? [] : [origin.description]
        return (origin + (setting.isEmpty ? [] : [setting]) + [message]).joined(separator: ": ")
    }
}

/// Why there is no configuration.
public struct ConfigurationError: Error, Equatable, Sendable {
    /// The first of them, in the order of the file.
    public let faults: [ConfigurationFault]
    /// How many more there are.
    public let more: Int
    /// The file that was asked for is not there, or cannot be read.
    public let isMissing: Bool

    public init(_ faults: [ConfigurationFault], isMissing: Bool = false) {
        let ordered = faults.enumerated().sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
        self.faults = ordered.prefix(ConfigurationBounds.faults).map(\.element)
        more = ordered.count - self.faults.count
        self.isMissing = isMissing
    }
}

extension ConfigurationFault {
    /// Those of flags and of the environment come first.
    fileprivate var position: Int {
        // No file is as wide as this.
        if case .file(let place) = origin { place.line << 24 + place.column } else { 0 }
    }
}
