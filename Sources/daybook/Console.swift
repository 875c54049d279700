import Glibc
import Synchronization

/// Nobody reads standard output any more, which ends a command well.
struct ClosedPipe: Error {}

/// Where a command writes: data, gathered into large writes, and talk, line by line.
final class Console: Sendable {
    /// A test puts its own here.
    @TaskLocal static var current = Console(output: STDOUT_FILENO, talk: STDERR_FILENO)

    private static let bufferBytes = 256 << 10

    private let output: Int32
    private let talk: Int32
    private let pending = Mutex<[UInt8]>([])

    init(output: Int32, talk: Int32) {
        self.output = output
        self.talk = talk
    }

    /// Talk may be redrawn.
    var isTerminal: Bool { isatty(talk) == 1 }

    var writesToTerminal: Bool { isatty(output) == 1 }

    /// Nobody reads standard output any more.
    var isClosed: Bool {
        var state = pollfd(fd: output, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try pending.withLock { pending in
            if pending.count + bytes.count > Self.bufferBytes { try empty(&pending) }
            if bytes.count > Self.bufferBytes {
                try send(bytes)
            } else {
                pending.append(contentsOf: bytes)
            }
        }
    }

    func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Everything written so far is on its way when this returns.
    func flush() throws {
        try pending.withLock { try empty(&$0) }
    }

    private func empty(_ pending: inout [UInt8]) throws {
        // What could not be written is not tried again: the command is about to end.
        defer { pending.removeAll(keepingCapacity: true) }
        try pending.withUnsafeBytes { try send($0) }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(output, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if errno == EPIPE {
                throw ClosedPipe()
            } else if errno != EINTR {
                throw CommandFailure(.inputOutput, "cannot write: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// A line of talk. Nothing can be done where it cannot be written.
    func say(_ line: String) {
        show(line + "\n")
    }

    /// Talk without a line's end.
    func show(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(talk, $0.baseAddress, $0.count) }
    }
}
