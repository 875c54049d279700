import Glibc
import NIOCore

/// Who is at the other end of a local connection.
enum Peer {
    /// `struct ucred`, as Linux fills it in.
    private struct Credentials {
        var process: Int32 = 0
        var user: uid_t = 0
        var group: gid_t = 0
    }

    /// The user who connected, as the kernel knows it.
    static func user(of channel: any Channel) -> EventLoopFuture<uid_t> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let found: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED))
        return found.map(\.user)
    }

    /// Whether a process of `server` runs jobs for `user`: only for itself and root.
    static func mayRunJobs(_ user: uid_t, server: uid_t) -> Bool { user == server || user == 0 }
}
