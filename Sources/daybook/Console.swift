import Glibc
import Synchronization

/// Nobody reads standard output any more, which ends a command well.
struct ClosedPipe: Error {}

/// What is behind a console.
protocol ConsoleSink: Sendable {
    /// Talk may be redrawn.
    var isTerminal: Bool { get }
    var writesToTerminal: Bool { get }
    /// Nobody reads the output any more.
    var isClosed: Bool { get }

    func write(_ output: UnsafeRawBufferPointer) throws
    /// Nothing can be done where talk cannot be shown.
    func show(_ talk: String)
}

/// Where a command writes: data, gathered into large writes, and talk, line by line.
final class Console: Sendable {
    /// A test puts its own here, and a server one for each job.
    @TaskLocal static var current = Console(output: STDOUT_FILENO, talk: STDERR_FILENO)

    private static let bufferBytes = 256 << 10

    let sink: any ConsoleSink
    private let pending = Mutex<[UInt8]>([])

    init(_ sink: any ConsoleSink) { self.sink = sink }

    /// Writes to file descriptors, which stay the caller's.
    convenience init(output: Int32, talk: Int32) { self.init(DescriptorSink(output: output, talk: talk)) }

    /// Talk may be redrawn.
    var isTerminal: Bool { sink.isTerminal }

    var writesToTerminal: Bool { sink.writesToTerminal }

    /// Nobody reads the output any more.
    var isClosed: Bool { sink.isClosed }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try pending.withLock { pending in
            if pending.count + bytes.count > Self.bufferBytes { try empty(&pending) }
            if bytes.count > Self.bufferBytes {
                try sink.write(bytes)
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
        try pending.withUnsafeBytes { if !$0.isEmpty { try sink.write($0) } }
    }

    /// A line of talk.
    func say(_ line: String) { show(line + "\n") }

    /// Talk without a line's end.
    func show(_ text: String) { sink.show(text) }
}
