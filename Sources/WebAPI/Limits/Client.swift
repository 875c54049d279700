import NIOCore

/// Whom a request is counted against: an IPv4 address, or the 64 bits of an IPv6 address that name a network,
/// of which one machine has all the rest. What has no address, as a Unix socket, is one client.
struct Client: Hashable, Sendable {
    private enum Family { case none, ipv4, ipv6 }

    private let family: Family
    private let bits: UInt64

    init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address):
            (family, bits) = (.ipv4, UInt64(UInt32(bigEndian: address.address.sin_addr.s_addr)))
        case .v6(let address):
            (family, bits) = withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                let halves = (
                    bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian,
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
                )
                let isMapped = halves.0 == 0 && halves.1 >> 32 == 0xFFFF
                return isMapped ? (.ipv4, halves.1 & 0xFFFF_FFFF) : (.ipv6, halves.0)
            }
        case .unixDomainSocket, nil:
            (family, bits) = (.none, 0)
        }
    }
}
