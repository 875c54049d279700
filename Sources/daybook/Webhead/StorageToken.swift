import Glibc

/// The token for storage servers: the first line of a file.
enum StorageToken {
    static func text(of path: String) throws -> String {
        guard let file = fopen(path, "r") else {
            throw CommandFailure(.noInput, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4_096)
        guard fgets(&line, Int32(line.count), file) != nil else { throw CommandFailure(.data, "\(path): no token") }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let token = text.filter { !$0.isWhitespace }
        guard !token.isEmpty else { throw CommandFailure(.data, "\(path): no token") }
        return token
    }
}
