import Glibc
import TestSupport
import Testing
import WebAPI

@testable import daybook

@Suite("daybook token and daybook acl test (AC10, AC11)")
struct TokenCommandTests {
    @Test("a token is printed once, kept as its hash, listed without it, and gone when it is revoked")
    func life() async throws {
        let directory = try TemporaryDirectory()
        let data = "\(directory.path)/data"
        let added = try await CommandRun(
            "token", "add", "--name", "ci", "--scope", "read", "--scope", "ingest", "--data", data)
        #expect(added.status == 0)
        let secret = String(added.output.dropLast())
        #expect(secret.hasPrefix("dbk_") && secret.utf8.count == 68 && !secret.contains("\n"))
        let file = String(decoding: try #require(WholeFile.read("\(data)/TOKENS")), as: UTF8.self)
        #expect(!file.contains(secret.dropFirst(4)) && file.contains(TokenHash(ofToken: secret).hexadecimal))
        var status = stat()
        #expect(stat("\(data)/TOKENS", &status) == 0 && status.st_mode & 0o777 == 0o600)

        let listed = try await CommandRun("token", "list", "--data", data)
        #expect(listed.output.contains(" ci: ingest,read of all streams, since "))
        let json = try await CommandRun("token", "list", "--data", data, "--json")
        #expect(json.output.contains(#""name": "ci", "scopes": ["ingest", "read"], "streams": null"#))
        for output in [listed.output, json.output] {
            #expect(!output.contains(secret) && !output.contains(TokenHash(ofToken: secret).hexadecimal))
        }

        let again = try await CommandRun("token", "add", "--name", "ci", "--scope", "read", "--data", data)
        #expect(again.status == 64 && again.output.isEmpty)
        #expect(try await CommandRun("token", "revoke", "nobody", "--data", data).status == 66)
        #expect(try await CommandRun("token", "revoke", "ci", "--data", data).status == 0)
        #expect(try await CommandRun("token", "list", "--data", data).output.isEmpty)
        #expect(try await CommandRun("token", "revoke", "ci", "--data", data).status == 66)
    }

    @Test("an expiry is raised to ten minutes, a creation floored to them")
    func times() async throws {
        let directory = try TemporaryDirectory()
        let now: @Sendable () -> UInt64 = { 1_795_000_123_456 }
        let run = try await WallClock.$now.withValue(now) {
            try await CommandRun(
                "token", "add", "--name", "a", "--scope", "admin", "--stream", "interactions", "--expires", "1h",
                "--data", directory.path, "--json")
        }
        #expect(
            run.output.contains(#""streams": ["interactions"], "created": 1794999600000, "expires": 1795003800000"#))
    }

    @Test("a damaged file is refused by name and line, by serve too, and stays as it is")
    func damaged() async throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("daybook tokens 1\nnonsense\n", to: "TOKENS")
        for arguments in [
            ["token", "list"], ["token", "add", "--name", "a", "--scope", "read"], ["token", "revoke", "a"],
            ["acl", "test", "--path", "/"], ["serve", "--addr", "127.0.0.1:0"],
        ] {
            let run = try await CommandRun(arguments + ["--data", directory.path])
            #expect(
                run.status == 65 && run.talk.contains("TOKENS: line 2: this is no token"), "\(arguments) \(run.talk)")
        }
        #expect(WholeFile.read(path) == Array("daybook tokens 1\nnonsense\n".utf8))
    }

    @Test("a token of the data directory lets in, with the exit code that says so")
    func explained() async throws {
        let directory = try TemporaryDirectory()
        let added = try await CommandRun("token", "add", "--name", "a", "--scope", "read", "--data", directory.path)
        let secret = String(added.output.dropLast())
        func test(_ arguments: String...) async throws -> CommandRun {
            try await CommandRun(
                ["acl", "test", "--data", directory.path, "--path", "/wsapi/interaction_data"] + arguments)
        }
        let allowed = try await test("--token", secret)
        #expect(allowed.status == 0 && allowed.output.contains("who      token:a\nallowed  by the token\n"))
        let refused = try await test("--token", secret, "--method", "post")
        #expect(refused.status == 77 && refused.output.contains("needs    ingest\n"))
        #expect(refused.output.contains("refused  403 missing_scope: "))
        #expect(try await test().output.contains("refused  401 no_token: "))
    }

    @Test("a server that others can reach does not start unless it asks who they are, or that is meant")
    func listener() async throws {
        let directory = try TemporaryDirectory()
        let data = "\(directory.path)/data"
        let run = try await CommandRun("serve", "--addr", "0.0.0.0:0", "--data", data)
        #expect(run.status == 64 && run.talk.contains("can be reached from other machines"))
        var status = stat()
        #expect(stat(data, &status) != 0, "nothing was made")
    }
}
