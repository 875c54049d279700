import Glibc

/// The repository's `Fixtures`, wherever the tests are built, and the only tests that write there.
enum FixtureFiles {
    /// Set to 1, the fixtures that code makes are written anew.
    static let isWriting = getenv("DAYBOOK_WRITE_FIXTURES").map { String(cString: $0) == "1" } ?? false

    static let root = folder(above: #filePath) ?? folder(above: resolved(#filePath)) ?? "."
    static func path(_ name: String) -> String { "\(root)/Fixtures/\(name)" }

    /// The nearest folder above that has both `Fixtures` and `SPEC.md`.
    private static func folder(above path: String) -> String? {
        var parts = path.split(separator: "/").dropLast()
        while !parts.isEmpty {
            let folder = "/" + parts.joined(separator: "/")
            if access("\(folder)/SPEC.md", F_OK) == 0, access("\(folder)/Fixtures", F_OK) == 0 { return folder }
            parts.removeLast()
        }
        return nil
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// `nil` where there is no such file.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }

    static func write(_ path: String, _ bytes: [UInt8]) -> Bool {
        guard let file = fopen(path, "wb") else { return false }
        let count = fwrite(bytes, 1, bytes.count, file)
        return fclose(file) == 0 && count == bytes.count
    }

    /// The names in a folder, sorted.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }
}
