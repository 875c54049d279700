import Glibc

/// An IPv4 or IPv6 address.
public struct NetworkAddress: Equatable, Sendable, CustomStringConvertible {
    /// 4 or 16, in the order of the network. An IPv4 address that is mapped into IPv6 has 4.
    public let bytes: [UInt8]

    /// `nil` where the text is no address.
    public init?(_ text: String) {
        guard let bytes = Self.parsed(text, AF_INET, 4) ?? Self.parsed(text, AF_INET6, 16) else { return nil }
        self.init(bytes: bytes)
    }

    /// - Parameter bytes: 4 or 16.
    public init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16)
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.bytes = bytes.starts(with: mapped) ? Array(bytes.dropFirst(12)) : bytes
    }

    private static func parsed(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// All addresses that begin with the same bits.
public struct Network: Equatable, Sendable, CustomStringConvertible {
    public let address: NetworkAddress
    /// How many bits of it count.
    public let prefix: Int

    /// `10.0.0.0/8`, `fd00::/8`, or one address. `nil` for anything else, and where bits are set behind the
    /// prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NetworkAddress(String(parts[0])) else { return nil }
        let bits = address.bytes.count * 8
        guard let prefix = parts.count == 1 ? bits : Int(parts[1]), (0...bits).contains(prefix) else { return nil }
        self.address = address
        self.prefix = prefix
        guard parts.count == 1 || address.bytes.count * 8 == bits,
            Self.first(prefix, of: address.bytes) == address.bytes
        else { return nil }
    }

    static let loopbacks = [Network("127.0.0.0/8"), Network("::1")].compactMap { $0 }

    public func contains(_ other: NetworkAddress) -> Bool {
        other.bytes.count == address.bytes.count && Self.first(prefix, of: other.bytes) == address.bytes
    }

    /// The others become 0.
    private static func first(_ bits: Int, of bytes: [UInt8]) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(bits - index * 8, 0), 8)
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
    }

    public var description: String {
        prefix == address.bytes.count * 8 ? address.description : "\(address)/\(prefix)"
    }
}
