/// What the clients of a listener may take up.
public struct Limits: Equatable, Sendable {
    /// Open connections.
    public var connections: Int
    public var headerBytes: Int
    public var headerFields: Int
    /// Milliseconds from the beginning of a header to its end.
    public var headerDeadline: UInt64
    /// Milliseconds from the header to the last byte of the body.
    public var bodyDeadline: UInt64
    /// Milliseconds that a connection may be silent.
    public var idleTime: UInt64
    /// Requests of one client at once, and of one connection (HTTP/2).
    public var streamsPerClient: Int
    public var streamsPerConnection: Int
    /// Requests that are being answered.
    public var inFlight: Int
    public var bodyBytes: Int
    /// Milliseconds that an answer may take which does not follow.
    public var scanDuration: UInt64
    /// Requests of one client in a second; `nil` for no limit.
    public var ratePerClient: Int?
    /// How many of them at once, after a silence; `nil` for as many as in a second.
    public var burstPerClient: Int?

    public init(
        connections: Int, headerBytes: Int, headerFields: Int, headerDeadline: UInt64, bodyDeadline: UInt64,
        idleTime: UInt64, streamsPerClient: Int, streamsPerConnection: Int, inFlight: Int, bodyBytes: Int,
        scanDuration: UInt64
    ) {
        self.connections = connections
        self.headerBytes = headerBytes
        self.headerFields = headerFields
        self.headerDeadline = headerDeadline
        self.bodyDeadline = bodyDeadline
        self.idleTime = idleTime
        self.streamsPerClient = streamsPerClient
        self.streamsPerConnection = streamsPerConnection
        self.inFlight = inFlight
        self.bodyBytes = bodyBytes
        self.scanDuration = scanDuration
    }

    /// Reads those that a section names; the others stay as they are.
    init(_ section: inout Section, over standard: Limits) {
        self = standard
        let count = Kind<Int>.whole(1...1_000_000)
        let deadline = Kind<UInt64>.time(100...3_600_000)
        connections = section.value("connections", count, default: connections)
        headerBytes = section.value("header_bytes", .size(1 << 10...1 << 20), default: headerBytes)
        headerFields = section.value("header_fields", .whole(8...10_000), default: headerFields)
        headerDeadline = section.value("header_deadline", deadline, default: headerDeadline)
        bodyDeadline = section.value("body_deadline", deadline, default: bodyDeadline)
        idleTime = section.value("idle_time", deadline, default: idleTime)
        streamsPerClient = section.value("streams_per_client", count, default: streamsPerClient)
        streamsPerConnection = section.value(
            "streams_per_connection", .whole(1...10_000), default: streamsPerConnection)
        inFlight = section.value("in_flight", count, default: inFlight)
        bodyBytes = section.value("body_bytes", .size(1 << 10...1 << 24), default: bodyBytes)
        scanDuration = section.value("scan_duration", .time(1_000...365 * 86_400_000), default: scanDuration)
        ratePerClient = section.value("rate_per_client", count) ?? ratePerClient
        burstPerClient = section.value("burst_per_client", count) ?? burstPerClient
        if burstPerClient != nil, ratePerClient == nil {
            section.reading.refuse(
                section.origin(of: "burst_per_client"), section.name("burst_per_client"), "needs rate_per_client")
        }
        section.end()
    }
}
