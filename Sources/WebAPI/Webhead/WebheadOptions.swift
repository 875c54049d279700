import Interactions

/// How browsers are served.
public struct WebheadOptions: Sendable {
    /// A body of more bytes is 413.
    public var bodyBytes = 64 << 10
    public var unknownFields = UnknownFields.pass
    /// What is kept of the sessions.
    public var sample = SessionSample.all
    /// What browsers are told to send of theirs.
    public var browserSampleRate = 1.0
    /// The same for browsers by name (`CoarseAgent.browser`).
    public var browserSampleRates: [String: Double] = [:]
    /// Pages that may post beside those of the webhead's own origin: `https://login.example.org`.
    public var origins: Set<String> = []
    /// Browsers come over TLS that ends before this process.
    public var isSecure = false
    public var optOut = Set(OptOutSignal.allCases)

    public init() {}
}

/// How a webhead does.
public enum WebheadHealth: Equatable, Sendable {
    case well
    /// It takes events, and something is wrong.
    case degraded(String)
    /// It takes none until a storage server does.
    case full
}

/// What a webhead asks of the process that it is part of.
public struct WebheadSurroundings: Sendable {
    /// Milliseconds since 1970.
    public var now: @Sendable () -> UInt64
    public var random: @Sendable () -> UInt64
    /// The spool takes no more events.
    public var isFull: @Sendable () -> Bool
    public var health: @Sendable () -> WebheadHealth
    public var figures: @Sendable () -> SpoolFigures

    public init(
        now: @escaping @Sendable () -> UInt64, random: @escaping @Sendable () -> UInt64,
        isFull: @escaping @Sendable () -> Bool, health: @escaping @Sendable () -> WebheadHealth,
        figures: @escaping @Sendable () -> SpoolFigures
    ) {
        self.now = now
        self.random = random
        self.isFull = isFull
        self.health = health
        self.figures = figures
    }
}
