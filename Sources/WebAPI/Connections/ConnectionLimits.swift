/// What clients may take of a server, whatever they ask for. What goes beyond is refused and counted by its reason.
public struct ConnectionLimits: Sendable, Equatable {
    /// Connections at a time. A further one is answered 503 and closed, or with TLS closed.
    public var connections = 10_000
    /// Bytes of a request's header, its first line among them, and fields of it; more is 431.
    public var headerBytes = 32 << 10
    public var headerFields = 100
    /// How long a client may take from the first byte of a header to its last, and for a TLS handshake; more is 408, or
    /// the end of the connection.
    public var header = Duration.seconds(20)
    /// How long it may take for a body; more is 408.
    public var body = Duration.seconds(120)
    /// How long a connection may be silent between requests or within one; more is its end.
    public var idle = Duration.seconds(75)
    /// Answers that follow the log and HTTP/2 streams that one client has at a time, by its address (of IPv6 the
    /// network, 64 bits); a further one is 429.
    public var streamsPerClient = 1_000
    /// HTTP/2 streams that one connection has at a time; the client is told.
    public var streamsPerConnection = 100

    public init() {}

    /// Descriptors that are kept for the files of the store and all else.
    static let keptDescriptors = 1_024

    /// The same, with no more connections than a process with so many descriptors can serve.
    func fitting(descriptors: Int) -> ConnectionLimits {
        var limits = self
        let room = max(descriptors - Self.keptDescriptors, descriptors / 2) - ConnectionCount.refusedAtATime
        limits.connections = max(min(connections, room), 1)
        return limits
    }
}
