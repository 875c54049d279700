import LogEngine

/// What a listener takes of requests. Each refusal is counted under its reason (SPEC O8–O11).
public struct RequestLimits: Equatable, Sendable {
    /// Requests that are being answered at once; streams are among them. One more is 429.
    public var inFlight: Int
    /// Bytes of a body. A larger one is 413.
    public var bodyBytes: Int
    /// How long an answer may be streamed that does not follow. Then it ends as incomplete, with a cursor.
    public var scanDuration: Duration
    /// `nil`: any number. Behind a forwarder all clients may have one address, so there is none unless it is set.
    public var rate: ClientRate?

    public init(
        inFlight: Int = 8_192, bodyBytes: Int = Bounds.batchBytes, scanDuration: Duration = .seconds(6 * 3_600),
        rate: ClientRate? = nil
    ) {
        self.inFlight = inFlight
        self.bodyBytes = bodyBytes
        self.scanDuration = scanDuration
        self.rate = rate
    }

    /// Requests of one client. One more is 429.
    public struct ClientRate: Equatable, Sendable {
        /// In the long run.
        public var perSecond: Int
        /// At once, after a silence.
        public var burst: Int

        public init(perSecond: Int, burst: Int) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }

    // What each may be. Outside of it is a mistake of whoever sets it, and is not served.
    public static let inFlightBounds = 1...1_000_000
    public static let bodyByteBounds = 1_024...Bounds.batchBytes
    public static let scanDurationBounds = Duration.seconds(1)...Duration.seconds(365 * 86_400)
    public static let perSecondBounds = 1...1_000_000
    public static let burstBounds = 1...1_000_000
    /// Clients whose rate is remembered; of more, those that were silent longest are forgotten.
    static let rememberedClients = 16_384

    var isWithinBounds: Bool {
        Self.inFlightBounds.contains(inFlight) && Self.bodyByteBounds.contains(bodyBytes)
            && Self.scanDurationBounds.contains(scanDuration)
            && rate.map { Self.perSecondBounds.contains($0.perSecond) && Self.burstBounds.contains($0.burst) } ?? true
    }
}
