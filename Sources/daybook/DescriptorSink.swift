import Glibc

/// A console's output and talk, each to a file descriptor.
struct DescriptorSink: ConsoleSink {
    let output: Int32
    let talk: Int32

    var isTerminal: Bool { isatty(talk) == 1 }

    var writesToTerminal: Bool { isatty(output) == 1 }

    var isClosed: Bool {
        var state = pollfd(fd: output, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
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

    func show(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(talk, $0.baseAddress, $0.count) }
    }
}
