import Glibc
import SegmentFormat
import Settings
import WebAPI

/// The secrets that sessions are signed with: hex digits, one a line. The first signs; the others are known still, so
/// that a secret can be replaced without anyone's session being lost. Webheads behind one name share the file.
enum SessionKeyFile {
    /// Reads the file; makes it, of one random secret and for its owner alone, where it is not there.
    static func keys(at path: String) throws -> SessionKeys {
        if !SecretFile.exists(path) { try make(path) }
        let secrets = try SecretFile.text(of: path).split(whereSeparator: \.isNewline).map { line in
            guard let bytes = bytes(ofHex: line.filter { !$0.isWhitespace }) else { throw bad(path) }
            return bytes
        }
        guard let keys = SessionKeys(secrets: secrets) else { throw bad(path) }
        return keys
    }

    private static func bad(_ path: String) -> CommandFailure {
        CommandFailure(
            .data, "\(path): a secret is \(2 * SessionKeys.secretBytes) hex digits or more, one a line")
    }

    private static func bytes(ofHex text: String) -> [UInt8]? {
        let digits = text.map(\.hexDigitValue)
        guard digits.count.isMultiple(of: 2), text.utf8.count == digits.count else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[start], let low = digits[start + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }

    /// Under another name first: whoever finds the file finds it whole, and the first of those who make it wins. Durable
    /// when it returns: sessions outlive a power loss.
    private static func make(_ path: String) throws {
        var random = SystemRandomNumberGenerator()
        let temporary = "\(path).\(random.next().hex).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(temporary) }
        defer {
            close(file)
            unlink(temporary)
        }
        let secret = (0..<SessionKeys.secretBytes / 8).map { _ in random.next().hex }.joined() + "\n"
        let bytes = Array(secret.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else { throw failure(temporary) }
        guard link(temporary, path) == 0 || errno == EEXIST else { throw failure(path) }
        let parent = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw failure(path) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw failure(path) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[...slash])
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
    }
}
