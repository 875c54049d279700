import Glibc
import LogEngine

/// A directory that is gone after the test.
public struct TemporaryDirectory: ~Copyable {
    /// Where such directories are made.
    public static let parent = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir

    public let path: String

    public init() throws {
        var template = Array("\(Self.parent)/daybook-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFault(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Writes a file; returns its path.
    public func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try WholeFile.write(Array(text.utf8), to: file)
        return file
    }

    /// Copies a directory and all that is in it; returns the path of the copy.
    public func copy(of directory: String, to name: String) throws -> String {
        let copy = "\(path)/\(name)"
        try Self.copy(directory, copy)
        return copy
    }

    private static func copy(_ source: String, _ target: String) throws {
        guard let names = names(in: source) else {
            guard let bytes = WholeFile.read(source) else { throw SystemFault(errno) }
            return try WholeFile.write(bytes, to: target)
        }
        guard mkdir(target, 0o755) == 0 else { throw SystemFault(errno) }
        for name in names { try copy("\(source)/\(name)", "\(target)/\(name)") }
    }

    /// Of what lies in it.
    public var names: [String] { Self.names(in: path) ?? [] }

    private static func remove(_ path: String) {
        guard let names = names(in: path) else {
            unlink(path)
            return
        }
        for name in names { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// `nil` for what is no directory.
    private static func names(in path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// Whole files.
public enum WholeFile {
    /// `nil` where there is none.
    public static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var (bytes, part) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
        return bytes
    }

    public static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw SystemFault(errno) }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw SystemFault(errno) }
    }
}
