import Glibc
import WebAPI

/// The secrets that sessions are signed with: hex digits, one a line. The first signs; the others are known still, so
/// that a secret can be replaced without anyone's session being lost. Webheads behind one name share the file.
enum SessionKeyFile {
    private static let mostBytes = 64 << 10

    /// Reads the file; makes it, of one random secret and for its owner alone, where it is not there.
    static func keys(at path: String) throws -> SessionKeys {
        if access(path, F_OK) != 0, errno == ENOENT { try make(path) }
        let secrets = try text(of: path).split(separator: "\n").map { line in
            let digits = line.filter { $0 != " " && $0 != "\t" && $0 != "\r" }
            guard let bytes = bytes(ofHex: digits) else { throw bad(path) }
            return bytes
        }
        guard let keys = SessionKeys(secrets: secrets) else { throw bad(path) }
        return keys
    }

    private static func bad(_ path: String) -> CommandFailure {
        CommandFailure(
            .data, "\(path): a secret is \(2 * SessionKeys.secretBytes) hex digits or more, one a line")
    }

    private static func bytes(ofHex digits: String) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start...start + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static func text(of path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: mostBytes)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw failure(path) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func make(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var random = SystemRandomNumberGenerator()
        let secret = (0..<SessionKeys.secretBytes / 8).map { _ in hexText(random.next()) }.joined() + "\n"
        let bytes = Array(secret.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
    }
}
