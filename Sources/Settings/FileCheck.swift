import Glibc

/// What is asked of the files that a configuration names.
enum FileCheck {
    /// All bytes of a file, of which it may have at most one more than `limit`: a longer one is cut there.
    static func contents(_ path: String, limit: Int) throws(Refusal) -> [UInt8] {
        let file = try opened(path)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes {
                read(file, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            guard part >= 0 else { throw Refusal(reason: "cannot be read: \(String(cString: strerror(errno)))") }
            if part == 0 { break }
            count += part
        }
        return Array(bytes[..<count])
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || errno != ENOENT }

    /// Throws where the file cannot be read.
    static func beReadable(_ path: String) throws(Refusal) { close(try opened(path)) }

    /// Throws where others than its owner can use a file. One of root may be read by its group where this process is
    /// not root's: so systemd hands over credentials.
    static func bePrivate(_ path: String) throws(Refusal) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Refusal(reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        let mode = status.st_mode & 0o7777
        let others: mode_t = status.st_uid == 0 && geteuid() != 0 ? 0o037 : 0o077
        guard mode & others == 0 else {
            throw Refusal(reason: "has the mode 0\(String(mode, radix: 8)); only its owner may use it: chmod 600")
        }
    }

    private static func opened(_ path: String) throws(Refusal) -> Int32 {
        // A named pipe would keep it waiting.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Refusal(reason: "cannot be read: \(String(cString: strerror(errno)))") }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw Refusal(reason: "is no file")
        }
        return file
    }

    /// The path without symbolic links, dots and empty parts; what is not there yet is taken as it is written.
    static func canonical(_ path: String) -> String {
        var (known, rest) = (path, [Substring]())
        while true {
            if let real = realpath(known.isEmpty ? "." : known, nil) {
                defer { free(real) }
                return ([String(cString: real) == "/" ? "" : String(cString: real)] + rest.map(String.init))
                    .joined(separator: "/")
            }
            let parts = known.split(separator: "/", omittingEmptySubsequences: true)
            guard let last = parts.last else { return path }
            rest.insert(last, at: 0)
            known = (known.hasPrefix("/") ? "/" : "") + parts.dropLast().joined(separator: "/")
        }
    }

    /// Whether one is the other, or lies in it.
    static func overlap(_ one: String, _ other: String) -> Bool {
        let paths = [canonical(one), canonical(other)].map { $0.hasSuffix("/") ? $0 : $0 + "/" }
        return paths[0].hasPrefix(paths[1]) || paths[1].hasPrefix(paths[0])
    }
}
