import Glibc
import LogEngine

/// `control.sock` of a store, whose path may be longer than a socket's address can be (SPEC J4).
final class ControlSocket: Sendable {
    /// What fits into a `SocketAddress` of NIO.
    private static let longestPath = 103
    private static let mode: mode_t = 0o600

    /// The directory that it is in.
    private let directory: Int32
    /// Leads there as long as this lives.
    let path: String

    /// - Throws: where there is no such directory, or it may not be read.
    init(of layout: Layout) throws(SystemFault) {
        directory = open(layout.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw SystemFault(errno) }
        let whole = layout.controlSocket
        path =
            whole.utf8.count <= Self.longestPath
            ? whole : "/proc/self/fd/\(directory)/\(Layout.controlSocketName)"
    }

    deinit { close(directory) }

    /// Makes the socket, in place of one that a dead server left: only who has the store's lock may do so.
    /// - Returns: the bound socket, to listen on.
    func bind() throws(SystemFault) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFault(errno) }
        do throws(SystemFault) {
            // The file is made with the mode that the socket has before: nobody else can ever connect.
            guard fchmod(descriptor, Self.mode) == 0 else { throw SystemFault(errno) }
            try remove()
            try Self.bind(descriptor, to: path)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, to path: String) throws(SystemFault) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw SystemFault(errno) }
    }

    /// Removes the file, if it is there.
    func remove() throws(SystemFault) {
        guard unlinkat(directory, Layout.controlSocketName, 0) == 0 || errno == ENOENT else { throw SystemFault(errno) }
    }
}
