/// Where a listener listens: `HOST:PORT`, where an IPv6 address stands in brackets.
public struct Address: Equatable, Sendable, CustomStringConvertible {
    /// A name or an address.
    public var host: String
    /// 0 for any free one.
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `nil` where the text is no address.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only programs of this machine can connect.
    public var isLoopback: Bool {
        if host == "localhost" { return true }
        guard let address = NetworkAddress(host) else { return false }
        return Network.loopbacks.contains { $0.contains(address) }
    }
}
