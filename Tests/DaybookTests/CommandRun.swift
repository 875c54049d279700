import Glibc
import LogEngine
import TestSupport

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
        status = await ProcessEnvironment.$fixed.withValue(ProcessEnvironment.fixed ?? [:]) {
            await Console.$current.withValue(console) { await Daybook.run(arguments) }
        }
        output = Self.content(files.0)
        talk = Self.content(files.1)
    }

    /// A file that no name leads to.
    private static func temporaryFile() throws -> Int32 {
        guard let file = tmpfile() else { throw SystemFault(errno) }
        defer { fclose(file) }
        return dup(fileno(file))
    }

    private static func content(_ descriptor: Int32) -> String {
        let count = Int(lseek(descriptor, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: count)
        pread(descriptor, &bytes, count, 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}
