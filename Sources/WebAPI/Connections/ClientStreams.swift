import NIOCore
import Synchronization

/// How many streams each client has: answers that follow the log, and streams of HTTP/2.
final class ClientStreams: Sendable {
    /// Of IPv6 the network alone: who has one address has 2^64.
    private struct Client: Hashable {
        let high: UInt64
        let low: UInt64

        /// `nil` for what is no internet address.
        init?(_ address: SocketAddress) {
            switch address {
            case .v4(let address):
                (high, low) = (0, UInt64(address.address.sin_addr.s_addr))
            case .v6(let address):
                let (high, low) = withUnsafeBytes(of: address.address.sin6_addr) {
                    ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self))
                }
                // An address of IPv4 in IPv6 (RFC 4291 §2.5.5) is a client of its own.
                (self.high, self.low) = high == 0 ? (0, low) : (high, 0)
            case .unixDomainSocket: return nil
            }
        }
    }

    private let limit: Int
    private let counts = Mutex<[Client: Int]>([:])

    init(_ limit: Int) { self.limit = limit }

    /// `nil` where the client has as many as it may have.
    func take(_ address: SocketAddress?) -> ClientStream? {
        guard let client = address.flatMap(Client.init) else { return ClientStream {} }
        let isTaken = counts.withLock { counts in
            let count = counts[client, default: 0]
            guard count < limit else { return false }
            counts[client] = count + 1
            return true
        }
        return isTaken ? ClientStream { self.giveBack(client) } : nil
    }

    private func giveBack(_ client: Client) {
        counts.withLock { counts in
            let count = counts[client, default: 1]
            counts[client] = count > 1 ? count - 1 : nil
        }
    }
}

/// Taken until the end of its life.
final class ClientStream: Sendable {
    private let giveBack: @Sendable () -> Void

    fileprivate init(_ giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

    deinit { giveBack() }
}
