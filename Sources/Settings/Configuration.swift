/// What a server is told, from flags, the environment, one YAML file and defaults (SPEC §18). Plain values:
/// nothing here opens a socket or a store.
public struct Configuration: Sendable {
    /// Where the file is looked for when none is named. It need not be there.
    public static let standardFile = "/etc/user-meta-server.yml"
    /// Names the file where no flag does.
    public static let fileVariable = "DAYBOOK_CONFIG"

    /// What holds where nothing says otherwise, from those whose defaults they are.
    public struct Defaults: Sendable {
        public var sealBytes: Int
        public var sealMilliseconds: UInt64
        public var reserveBytes: Int
        public var limits: Limits

        public init(sealBytes: Int, sealMilliseconds: UInt64, reserveBytes: Int, limits: Limits) {
            self.sealBytes = sealBytes
            self.sealMilliseconds = sealMilliseconds
            self.reserveBytes = reserveBytes
            self.limits = limits
        }
    }

    /// The file that was read; `nil` where there is none.
    public let file: String?
    /// At least one.
    public let listeners: [Listener]
    public let interactions: StreamSettings
    /// Of user metadata; `nil` where nothing says a word of it.
    public let logins: StreamSettings?
    public let lastLogins: StreamSettings?
    public let users: UserSettings
    /// `nil` where nothing says a word of one.
    public let webhead: WebheadSettings?
    public let tokens: [TokenEntry]
    public let maintenance: Schedule?
    /// Keys the hashes by which records name people.
    public let subjectKey: Secret?
    /// Threads that serve connections; `nil` for one for each core that the process may use.
    public let threads: Int?
    /// Each value and where it comes from, in the order of reading.
    public let settings: [Setting]
    /// What to tell though nothing is refused.
    public let notes: [String]

    /// Where a setting or a section comes from.
    public func origin(_ name: String) -> Origin { settings.first { $0.name == name }?.origin ?? .standard }
}

/// One address that a server listens on.
public struct Listener: Equatable, Sendable {
    /// What is served there.
    public enum Role: String, CaseIterable, Sendable {
        case interactions
        case userMetadata = "user-metadata"
        case webhead
        case admin
    }

    /// Whether a request needs a token.
    public enum TokenUse: String, CaseIterable, Sendable {
        case required
        case optional
    }

    /// Its name among the settings, as `listeners[0]`.
    public let path: String
    /// Where it begins.
    public let origin: Origin
    public let name: String
    public let role: Role
    public let address: Address
    /// The directory of the data that is served, or that an admin tells of.
    public let data: String?
    public let tls: TLSFiles?
    /// `nil` where there is no list; an empty one lets nobody in.
    public let rules: [AccessRule]?
    public let tokens: TokenUse
    /// Whether it may be reached from other machines by anybody.
    public let isInsecure: Bool
    /// Who may say for whom a request is.
    public let trustedForwarders: [Network]
    /// The header field in which they do.
    public let identityHeader: String?
    public let limits: Limits
    /// Milliseconds that a request may take; `nil` for no limit of its own.
    public let requestTimeout: UInt64?
}

/// PEM files. They were readable when they were looked at, and the key to its owner alone.
public struct TLSFiles: Equatable, Sendable {
    public enum ClientAuth: String, CaseIterable, Sendable {
        case required
        case optional
    }

    public let certificate: String
    public let key: String
    /// Signs the certificates of clients; `nil` where they show none.
    public let authority: String?
    public let clientAuth: ClientAuth
}

/// A request passes if both match as a whole: regular expressions.
public struct AccessRule: Equatable, Sendable {
    public let path: String
    public let commonName: String
}

/// A bearer token, known by its hash.
public struct TokenEntry: Equatable, Sendable {
    public enum Scope: String, CaseIterable, Sendable {
        case ingest
        case read
        case admin
    }

    public let name: String
    /// 64 hexadecimal digits in lower case.
    public let sha256: String
    public let scopes: [Scope]
    /// `nil` for all.
    public let streams: [StreamSettings.Name]?
}

/// A stream and how it is kept.
public struct StreamSettings: Equatable, Sendable {
    public enum Name: String, CaseIterable, Sendable {
        case interactions
        case logins
        case lastLogins = "last-logins"
    }

    /// What of it is kept. Without a limit: all, for ever.
    public struct Policy: Equatable, Sendable {
        public let maxAgeMilliseconds: UInt64?
        public let maxBytes: Int?
        public let minFreeBytes: Int?
    }

    /// Where it is described.
    public let origin: Origin
    public let name: Name
    /// The data directory; the stream lies in it.
    public let data: String
    /// Milliseconds; `nil` for the store's own.
    public let resolution: UInt64?
    public let sealBytes: Int
    public let sealMilliseconds: UInt64
    public let reserveBytes: Int
    /// `nil` where `daybook policy` says.
    public let policy: Policy?
}
