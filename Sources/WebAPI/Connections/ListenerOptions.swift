/// What every listener is told, whatever it serves.
public struct ListenerOptions: Sendable {
    /// A name or an address.
    public var host: String
    /// 0 for any free one.
    public var port: Int
    /// `nil`: plain HTTP.
    public var tls: TLSOptions?
    public var connections = ConnectionLimits()
    public var requests = RequestLimits()
    /// That of all listeners of a process.
    public var drain = Drain()
    /// Takes a line for who runs the server.
    public var note: @Sendable (String) -> Void = { _ in }

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
