import Glibc
import Settings
import TestSupport
import Testing
import WebAPI

@testable import daybook

@Suite("files of a webhead")
struct WebheadFileTests {
    @Test("session keys are made once, for their owner alone, and read again")
    func made() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/session.key"
        _ = try SessionKeyFile.keys(at: path)
        let first = try #require(WholeFile.read(path))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(first.count == 2 * SessionKeys.secretBytes + 1)
        _ = try SessionKeyFile.keys(at: path)
        #expect(WholeFile.read(path) == first)
    }

    @Test("of webheads that make the file of one name at once all find the same, whole, and nothing else is left")
    func together() async throws {
        for _ in 0..<20 {
            let directory = try TemporaryDirectory()
            let path = "\(directory.path)/session.key"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try SessionKeyFile.keys(at: path) } }
                try await group.waitForAll()
            }
            #expect(directory.names == ["session.key"])
        }
    }

    @Test(
        "secrets that are none are refused by the file's name",
        arguments: ["", "5e", String(repeating: "5", count: 65), String(repeating: "x", count: 64), "é"])
    func bad(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(text, to: "session.key")
        chmod(path, 0o600)
        let message = "\(path): a secret is 64 hex digits or more, one a line"
        #expect(throws: CommandFailure(.data, message)) { try SessionKeyFile.keys(at: path) }
    }

    @Test("several secrets stand one a line, whatever the space around them")
    func several() throws {
        let directory = try TemporaryDirectory()
        let secret = String(repeating: "5E", count: 32)
        let path = try directory.write(" \(secret)\r\n\(secret.lowercased()) \n\n", to: "session.key")
        chmod(path, 0o600)
        _ = try SessionKeyFile.keys(at: path)
    }

    @Test("what others can read is no secret")
    func open() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(String(repeating: "5e", count: 32), to: "secret")
        chmod(path, 0o640)
        let fault = "\(path) has the mode 0640; only its owner may use it: chmod 600"
        #expect(throws: SecretFile.Fault.self) { try SessionKeyFile.keys(at: path) }
        #expect(CommandFailure(of: try #require(Self.fault(of: path)))?.message == fault)
    }

    private static func fault(of path: String) -> (any Error)? {
        do {
            _ = try StorageToken.text(of: path)
            return nil
        } catch {
            return error
        }
    }

    @Test("a token is the first line, and none is told")
    func token() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("  daybook_secret \nsomething else\n", to: "token")
        chmod(path, 0o600)
        #expect(try StorageToken.text(of: path) == "daybook_secret")
        let empty = try directory.write("\n", to: "empty")
        chmod(empty, 0o600)
        #expect(throws: CommandFailure(.data, "\(empty): there is no token in its first line")) {
            try StorageToken.text(of: empty)
        }
    }
}
