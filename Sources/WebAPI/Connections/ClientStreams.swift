import NIOCore
import Synchronization

/// How many streams each client has: answers that follow the log, and streams of HTTP/2.
final class ClientStreams: Sendable {
    private let limit: Int
    private let counts = Mutex<[Client: Int]>([:])

    init(_ limit: Int) { self.limit = limit }

    /// `nil` where the client has as many as it may have.
    func take(_ address: SocketAddress?) -> ClientStream? {
        guard let address else { return ClientStream {} }
        let client = Client(address)
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
