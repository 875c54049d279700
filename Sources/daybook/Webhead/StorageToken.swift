import Settings

/// The token for storage servers: the first line of a file that is its owner's alone.
enum StorageToken {
    static func text(of path: String) throws -> String {
        let token = try SecretFile.text(of: path).prefix { !$0.isNewline }.filter { $0 != " " && $0 != "\t" }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandFailure(.data, "\(path): there is no token in its first line")
        }
        return token
    }
}
