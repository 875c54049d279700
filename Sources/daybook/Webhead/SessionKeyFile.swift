import Glibc
import LogEngine
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

    private static func make(_ path: String) throws {
        var random = SystemRandomNumberGenerator()
        let secret = (0..<SessionKeys.secretBytes / 8).map { _ in random.next().hex }.joined() + "\n"
        do throws(SystemFault) { try PosixDisk().makeOnce(path, Array(secret.utf8)) } catch {
            throw CommandFailure(.inputOutput, "\(path) cannot be made: \(String(cString: strerror(error.code)))")
        }
    }
}
