import Glibc
import Synchronization

/// Tells systemd how the service does, as sd_notify(3) says; nothing where no systemd wants to know.
struct ServiceManager {
    /// A path, or a name that begins with `@`.
    private let socket: String?

    /// - Parameter socket: that of `$NOTIFY_SOCKET`.
    init(socket: String?) { self.socket = socket }

    enum State: String {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    /// Why it could not be told; `nil` where it was, or nobody asks.
    func tell(_ state: State) -> String? {
        guard let socket, !socket.isEmpty else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(socket.utf8)
        let isFitting = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard name.count < place.count else { return false }
            place.copyBytes(from: name)
            if name.first == UInt8(ascii: "@") { place[0] = 0 }
            return true
        }
        guard isFitting else { return "NOTIFY_SOCKET is longer than the name of a socket" }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return Self.failure }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let sent = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(descriptor, state.rawValue, state.rawValue.utf8.count, 0, address, length)
            }
        }
        return sent < 0 ? Self.failure : nil
    }

    private static var failure: String { "NOTIFY_SOCKET: \(String(cString: strerror(errno)))" }
}

/// Runs `body` at the last of so many calls.
final class Countdown: Sendable {
    private let rest: Atomic<Int>
    private let body: @Sendable () -> Void

    init(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        rest = Atomic(count)
        self.body = body
    }

    func count() { if rest.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { body() } }
}
