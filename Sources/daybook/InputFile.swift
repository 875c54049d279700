import Glibc
import SegmentFormat

/// A file, or what comes through a pipe, read once from its beginning; a file can be read again.
final class InputFile {
    static let readBytes = 1 << 20

    /// The path, or `standard input`.
    let name: String
    private let descriptor: Int32
    private let readBytes: Int
    private var hash = RunningHash()

    /// - Parameters:
    ///   - path: `-` for standard input.
    ///   - readBytes: of one step, at most.
    init(_ path: String, readBytes: Int = InputFile.readBytes) throws {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        self.readBytes = readBytes
        guard descriptor >= 0 else {
            throw CommandFailure(.noInput, "\(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// It is a file, and not a pipe.
    var isRegular: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The XXH3-128 of what was read since the beginning.
    var digest: Hash128 { hash.wide }

    /// Goes back to the beginning of a file.
    func rewind() throws {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure }
        hash = RunningHash()
    }

    /// Appends what comes next; returns false at the end.
    func read(onto bytes: inout [UInt8]) throws -> Bool {
        let part = try [UInt8](unsafeUninitializedCapacity: readBytes) { place, count in
            var got = 0
            repeat { got = Glibc.read(descriptor, place.baseAddress, readBytes) } while got < 0 && errno == EINTR
            guard got >= 0 else { throw failure }
            count = got
        }
        hash.update(part)
        bytes += part
        return !part.isEmpty
    }

    private var failure: CommandFailure {
        CommandFailure(.inputOutput, "\(name): \(String(cString: strerror(errno)))")
    }
}
