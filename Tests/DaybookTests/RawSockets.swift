import Dispatch
import Glibc
import LogEngine
import Synchronization

@testable import daybook

/// Talks to a local socket byte by byte.
final class RawClient: Sendable {
    private let descriptor: Int32
    private let output: PipeOutput

    init(path: String) throws {
        descriptor = try RawSocket.open(path) { connect($0, $1, $2) }
        output = PipeOutput(descriptor)
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// So many lines, or all that come before the end.
    func lines(_ count: Int = .max) async -> String { await output.lines(count) }
}

/// Takes one connection to a local socket: says a line, waits for one where it is told to, says the rest, and closes.
struct CannedControl {
    init(at path: String, saying first: String, awaitingRequest: Bool, thenSaying rest: String) throws {
        let listener = try RawSocket.open(path) { bind($0, $1, $2) }
        guard listen(listener, 1) == 0 else { throw SystemFault(errno) }
        DispatchQueue.global().async {
            let connection = accept(listener, nil, nil)
            _ = write(connection, first, first.utf8.count)
            var request = [UInt8](repeating: 0, count: 1 << 16)
            // A request is small, and comes at once.
            if awaitingRequest { _ = read(connection, &request, request.count) }
            _ = write(connection, rest, rest.utf8.count)
            close(connection)
            close(listener)
        }
    }
}

enum RawSocket {
    /// A socket that `use` has bound or connected.
    static func open(
        _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFault(errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw SystemFault(errno)
        }
        return descriptor
    }
}

/// Gathers what is written and said.
final class SaidText: ConsoleSink {
    let isTerminal = false
    let writesToTerminal = false
    let isClosed = false
    private let said = Mutex("")

    var text: String { said.withLock { $0 } }

    func write(_ output: UnsafeRawBufferPointer) { show(String(decoding: output, as: UTF8.self)) }
    func show(_ talk: String) { said.withLock { $0 += talk } }
}
