/// What a webhead is told: where its spool lies, how it serves browsers, and where it brings their events.
public struct WebheadSettings: Equatable, Sendable {
    /// Where it is described.
    public let origin: Origin
    /// The directory of the spool.
    public let data: String
    /// Milliseconds; `nil` for the spool's own.
    public let resolution: UInt64?
    /// Beyond so many bytes of files the spool is full.
    public let maxBytes: Int
    /// Beyond so many milliseconds of waiting, too; `nil` for any time.
    public let maxAge: UInt64?
    /// The file of the secrets that sessions are signed with; `nil` for one beside the spool.
    public let sessionKeys: String?
    /// Milliseconds that it forwards at its end.
    public let drainTime: UInt64
    public let browsers: BrowserSettings
    public let storage: StorageSettings
}

/// How a webhead serves browsers.
public struct BrowserSettings: Equatable, Sendable {
    /// What becomes of fields that nobody knows.
    public enum UnknownFields: String, CaseIterable, Sendable {
        case pass
        case drop
        case refuse
    }

    /// By what a person says not to be measured.
    public enum OptOut: String, CaseIterable, Sendable {
        case gpc
        case dnt
        case cookie
    }

    /// Pages that may post beside those of the webhead's own origin.
    public let origins: [String]
    /// Browsers come over TLS that ends before this process.
    public let isSecure: Bool
    public let bodyBytes: Int
    public let unknownFields: UnknownFields
    /// Of sessions, what is kept.
    public let sampleRate: Double
    /// Of sessions, what browsers are told to send: in general, and by the browser's name.
    public let toldSampleRate: Double
    public let toldSampleRates: [String: Double]
    public let optOut: [OptOut]
}

/// Storage servers, and how they are spoken to.
public struct StorageSettings: Equatable, Sendable {
    public enum Coding: String, CaseIterable, Sendable {
        case lz4
        case plain
    }

    /// URLs; the first that is well gets the events.
    public let servers: [String]
    /// Forms, for servers that are not Daybook's.
    public let sendsForms: Bool
    public let coding: Coding
    /// Events of a batch, at most.
    public let batchEvents: Int
    /// Milliseconds after which one is sent that has fewer.
    public let batchTime: UInt64
    /// The file with the token for them.
    public let token: String?
    public let certificate: String?
    public let key: String?
    /// Signs the certificates of the servers; `nil` for the authorities of the system.
    public let authority: String?
}
