import Glibc
import LogEngine

@testable import daybook

/// What a command printed, and how it ended.
struct CommandRun {
    let status: Int32
    let output: String
    let talk: String

    /// Runs `daybook` with these arguments in this process.
    init(_ arguments: String...) async throws {
        try await self.init(arguments)
    }

    init(_ arguments: [String]) async throws {
        let files = try (Self.temporaryFile(), Self.temporaryFile())
        defer {
            close(files.0)
            close(files.1)
        }
        let console = Console(output: files.0, talk: files.1)
        status = await Console.$current.withValue(console) { await Daybook.run(arguments) }
        output = Self.content(files.0)
        talk = Self.content(files.1)
    }

    /// A file that no name leads to.
    private static func temporaryFile() throws -> Int32 {
        var template = Array("/tmp/daybook-run-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw SystemFault(errno) }
        unlink(template)
        return descriptor
    }

    private static func content(_ descriptor: Int32) -> String {
        let count = Int(lseek(descriptor, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: count)
        pread(descriptor, &bytes, count, 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A directory that is gone after the test.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() throws {
        var template = Array("/tmp/daybook-cli-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFault(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Writes a file; returns its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileBytes.write(Array(text.utf8), to: file)
        return file
    }

    /// Copies a directory and all that is in it; returns the path of the copy.
    func copy(of directory: String, to name: String) throws -> String {
        let copy = "\(path)/\(name)"
        try Self.copy(directory, copy)
        return copy
    }

    private static func copy(_ source: String, _ target: String) throws {
        guard let names = names(in: source) else {
            guard let bytes = FileBytes.read(source) else { throw SystemFault(errno) }
            return try FileBytes.write(bytes, to: target)
        }
        guard mkdir(target, 0o755) == 0 else { throw SystemFault(errno) }
        for name in names { try copy("\(source)/\(name)", "\(target)/\(name)") }
    }

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
enum FileBytes {
    /// `nil` where there is none.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var (bytes, part) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
        return bytes
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw SystemFault(errno) }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw SystemFault(errno) }
    }
}
