import Glibc
import LogEngine
import SegmentFormat
import Settings
import TestSupport
import Testing

@testable import daybook

@Suite("jobs on user metadata")
struct UserJobTests {
    private struct Ending: Equatable {
        let command: String
        let status: Int32
        let output: String
    }

    private static let commands = [
        "users show ann", "users show --json ann", "users devices ann", "users logs ann", "users logs ann --json",
        "users unused --days 1", "users unused --days 1 --json --service smtp", "users unused --days 400",
        "users show nobody", "users unused --days 0", "seal", "compact --json",
        "policy set --max-age 400d --stream logins",
        "policy show", "hold add --from 2d --to now --reason case --json", "hold remove 1 --stream last-logins",
        "hold remove 1", "seal --stream interactions", "verify --json", "maintain --sample 64KiB",
    ]

    private static func endings(_ directory: UserStoreDirectory) async throws -> [Ending] {
        var endings: [Ending] = []
        for command in commands {
            let run = try await directory.run(command.split(separator: " ").map(String.init))
            endings.append(Ending(command: command, status: run.status, output: Self.plain(run.output)))
        }
        return endings
    }

    /// Two stores have other keys, and so other hashes.
    private static func plain(_ text: String) -> String {
        text.replacing(/[0-9a-f]{32}/, with: "HASH").replacing(/[0-9.]+ [KM]?i?B/, with: "SIZE")
            .replacing(/bytes[a-z_]*": [0-9]+/, with: "SIZE")
    }

    @Test("each tells the same, and ends with the same code, with a server and without")
    func same() async throws {
        let here = try await UserStoreDirectory("ann", "bob")
        let there = try await UserStoreDirectory("ann", "bob")
        let alone = try await Self.endings(here)
        var served: [Ending] = []
        try await there.served { served = try await Self.endings(there) }
        for (one, other) in zip(alone, served) { #expect(one == other) }
        #expect(alone.map(\.status) == [0, 0, 0, 0, 0, 0, 0, 0, 66, 64, 0, 0, 0, 0, 0, 0, 66, 66, 0, 0])
        #expect(alone[5].output.isEmpty)
        #expect(alone[6].output == "\"ann\"\n\"bob\"\n")
        // Their checkpoints sealed them.
        #expect(alone[10].output == "logins:\nnothing to seal\nlast-logins:\nnothing to seal\n")
        #expect(alone[11].output.hasPrefix(#"{"stream": "logins", "segments_in": 1"#))
    }

    @Test("without its key nothing is opened, and a server that has it is asked")
    func keyless() async throws {
        let directory = try await UserStoreDirectory("ann")
        let (key, away) = ("\(directory.data).key", "\(directory.path)/away.key")
        try await directory.served { () async throws in
            #expect(rename(key, away) == 0)
            #expect(try await directory.run("seal").status == 0)
        }
        let refused = try await directory.run("seal")
        #expect(refused.status == 66 && refused.talk.contains("the key of this store is missing"))
        #expect(try await directory.run("users", "show", "ann", "--key-file", away).status == 0)
        #expect(try await directory.run("stat").status == 0)
    }

    @Test("an erased user is in no file, a held one stays and is told with 7", arguments: [false, true])
    func erased(isHeld: Bool) async throws {
        let directory = try await UserStoreDirectory("planted-user", "ann")
        if isHeld {
            let hold = ["hold", "add", "--from", "9d", "--to", "now", "--reason", "case 17"]
            #expect(try await directory.run(hold).status == 0)
        }
        let done = try await directory.run("erase", "--user", "planted-user", "--now")
        #expect(done.status == (isHeld ? 7 : 0))
        #expect(done.output.contains("logins: hold 1 (case 17) keeps what it covers") == isHeld, "\(done.output)")
        #expect(done.output.contains("compacted: nothing of it is left in the files") == !isHeld)
        #expect(try await directory.run("users", "show", "planted-user").status == 66)
        #expect(try await directory.run("users", "logs", "planted-user").output.isEmpty)
        #expect(try await directory.run("users", "show", "ann").status == 0)
        let audit = try await directory.run("audit").output
        #expect(audit.contains("erase") && !audit.contains("planted-user"))
    }

    @Test("a policy that the configuration names is that of its stream, and wins there alone")
    func named() async throws {
        let directory = try await UserStoreDirectory("ann")
        let file = "\(directory.path)/c.yml"
        let text = "db_uri: \(directory.data)\nhttp_server: {}\nstreams: {logins: {policy: {max_age: 90d}}}\n"
        try WholeFile.write(Array(text.utf8), to: file)
        let configuration = try Configuration.load(file, Overrides(), .ours) { _ in nil }
        #expect(Unserved.faults(of: configuration).isEmpty)
        let named = try #require(NamedPolicy(configuration, of: directory.data, .logins))
        #expect(named.policy == RetentionPolicy(maxAgeMilliseconds: 90 * 86_400_000))
        #expect(NamedPolicy(configuration, of: directory.data, .lastLogins) == nil)
        try await directory.served([.logins: named]) { () async throws in
            #expect(try await directory.run("policy", "set", "--forever", "--stream", "logins").status == 78)
            #expect(try await directory.run("policy", "set", "--max-age", "1d", "--stream", "last-logins").status == 0)
        }
        let refused = try await directory.run("policy", "set", "--forever", "--config", file)
        #expect(refused.status == 78 && refused.talk.contains("\(file):3:20 names the policy"), "\(refused.talk)")
    }

    @Test("repair mends streams whose views cannot be made, and then they can")
    func repaired() async throws {
        let directory = try await UserStoreDirectory("ann")
        for slot in 0...1 { unlink("\(directory.data)/logins/MANIFEST.\(slot)") }
        #expect(try await directory.run("users", "show", "ann").status != 0)
        #expect(try await directory.run("repair").status == 0)
        #expect(try await directory.run("users", "show", "ann").status == 0)
    }
}
