import Glibc
import Synchronization

/// How many connections a listener has. Those that are refused count until they are gone, as each has a descriptor.
final class ConnectionCount: Sendable {
    enum Entry {
        case served
        /// It is told why; `false` where as many are being told already.
        case refused(isTold: Bool)
    }

    /// Refused connections that are told why, and so stay for a moment.
    static let refusedAtATime = 128

    private let limit: Int
    private let open = Atomic<Int>(0)

    init(_ limit: Int) { self.limit = limit }

    /// Followed by `leave` when the connection is gone.
    func enter() -> Entry {
        let number = open.add(1, ordering: .relaxed).newValue
        return number <= limit ? .served : .refused(isTold: number <= limit + Self.refusedAtATime)
    }

    func leave() { open.subtract(1, ordering: .relaxed) }
}

enum Descriptors {
    /// How many files and sockets this process may have open.
    static var limit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(min(limit.rlim_cur, 1 << 31))
    }
}
