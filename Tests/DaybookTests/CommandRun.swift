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
        guard let stream = fopen(file, "w") else { throw SystemFault(errno) }
        fwrite(text, 1, text.utf8.count, stream)
        fclose(stream)
        return file
    }

    private static func remove(_ path: String) {
        guard let directory = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}
