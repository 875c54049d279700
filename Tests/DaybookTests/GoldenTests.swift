import ArgumentParser
import Glibc
import LogEngine
import TestSupport
import Testing

@testable import daybook

/// What every verb says of itself, and what it does with `Fixtures/stores/v1-small`, compared whole with
/// `Fixtures/commands`. `DAYBOOK_WRITE_FIXTURES=1` writes those anew: read the difference.
@Suite("what every verb prints")
struct GoldenTests {
    private static let isWriting = getenv("DAYBOOK_WRITE_FIXTURES").map { String(cString: $0) == "1" } ?? false

    /// An argument that begins with `@` is a path in the directory of the test.
    private struct Session: Sendable, CustomTestStringConvertible {
        let verb: String
        let command: any ParsableCommand.Type
        var subcommands: [any ParsableCommand.Type] = []
        let runs: [String]

        var testDescription: String { verb }
    }

    /// Beside `Tests`, two folders above this file's.
    private static let fixtures = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Fixtures"

    private static let segment = "@v1-small/interactions/hot/00000000000000000001.ndjson.lz4"

    private static let sessions = [
        Session(verb: "daybook", command: Daybook.self, runs: ["nonsense", "--version"]),
        Session(
            verb: "serve", command: ServeCommand.self,
            runs: [
                "serve --addr nowhere", "serve --data @v1-small --resolution 1h --addr 127.0.0.1:0",
                "serve --addr 0.0.0.0:0 --data @v1-small", "serve --reserve 2TiB", "serve --threads 0",
                "serve --config @none.yml", "serve --config @faulty.yml", "serve --config @roles.yml",
            ]),
        Session(
            verb: "config", command: ConfigCommand.self,
            subcommands: [ConfigCommand.Check.self, ConfigCommand.Show.self],
            runs: [
                "config check --config @named.yml", "config check --config @named.yml --json",
                "config check --config @faulty.yml", "config check --config @faulty.yml --json",
                "config check --config @roles.yml", "config check --config @none.yml",
                "config check --config @none.yml --json", "config check --config @v1-small",
                "config show --config @named.yml", "config show --config @named.yml --json",
                "config show --config @faulty.yml", "config show --config @tab.yml",
            ]),
        Session(
            verb: "webhead", command: WebheadCommand.self,
            runs: [
                "webhead", "webhead --storage nowhere", "webhead --storage http://127.0.0.1:1 --addr nowhere",
                "webhead --storage http://127.0.0.1:1 --sample-rate 2",
                "webhead --storage http://127.0.0.1:1 --browser-sample-rate-of Chrome",
                "webhead --storage http://127.0.0.1:1 --storage-cert x",
                "webhead --storage http://127.0.0.1:1 --storage http://127.0.0.1:1",
            ]),
        Session(
            verb: "spool", command: SpoolCommand.self,
            subcommands: [
                SpoolCommand.Status.self, SpoolCommand.Drain.self, SpoolCommand.Retry.self, SpoolCommand.Reassign.self,
            ],
            runs: [
                "spool status --data @missing", "spool drain --data @missing", "spool retry --data @missing",
                "spool reassign http://127.0.0.1:1 --data @missing",
            ]),
        Session(
            verb: "ingest", command: IngestCommand.self,
            runs: [
                "ingest @sample.ndjson --data @new", "ingest @sample.ndjson --data @new --once",
                "ingest @sample.ndjson --data @new --once", "ingest @dump.json --format couchdb --data @new",
                "ingest @dump.json --format couchdb --data @new --on-error skip",
                "ingest @dump.json --format couchdb --data @new --on-error skip", "ingest @missing --data @new",
                "ingest @dump.json --data @new --url http://127.0.0.1:1", "read --data @new --order arrival",
            ]),
        Session(
            verb: "read", command: ReadCommand.self,
            runs: [
                "read --data @v1-small", "read --data @v1-small --order arrival --limit 3",
                "read --data @v1-small --format rows --limit 2",
                "read --data @v1-small --from today --to today --limit 2",
                "read --data @v1-small --from yesterday --to yesterday",
                "read --data @v1-small --from 2h --to 90m", "read --data @v1-small --to 1970-01-02 --format rows",
                "read --data @v1-small --format lz4 --order time", "read --url http://127.0.0.1:1",
                "read --data @missing", "read --from soon", "read --from today --to 1w", "read --url nowhere",
            ]),
        Session(
            verb: "tail", command: TailCommand.self,
            runs: [
                "tail --data @v1-small", "tail --data @v1-small -n 2", "tail --data @v1-small --since 11",
                "tail --data @v1-small --since 2h -n 2", "tail --data @v1-small --since 99", "tail --data @missing",
                "tail --url http://127.0.0.1:1", "tail -n 5 -f --url http://127.0.0.1:1",
                "tail -f --url http://127.0.0.1:1",
            ]),
        Session(
            verb: "stat", command: StatCommand.self,
            runs: ["stat --data @v1-small", "stat --data @v1-small --json", "stat --data @missing"]),
        Session(
            verb: "verify", command: VerifyCommand.self,
            runs: [
                "verify --data @v1-small", "verify --data @v1-small --json", "verify --data @damaged",
                "verify --data @damaged --json",
            ]),
        Session(
            verb: "repair", command: RepairCommand.self,
            runs: [
                "repair --data @missing", "repair --data @v1-small", "repair --data @lost",
                "read --data @lost --order arrival --limit 1",
            ]),
        Session(
            verb: "seal", command: SealCommand.self,
            runs: [
                "seal --data @v1-small", "seal --data @v1-small", "seal --data @v1-small --json",
                "ingest @sample.ndjson --data @v1-small", "seal --data @v1-small --json", "seal --data @missing",
            ]),
        Session(
            verb: "compact", command: CompactCommand.self, runs: ["compact --level 20", "compact --data @missing"]),
        Session(
            verb: "purge", command: PurgeCommand.self,
            runs: [
                "purge --data @v1-small", "purge --data @v1-small --json",
                "purge --max-age 1d --data @v1-small --dry-run",
                "purge --max-age 1d --data @v1-small", "stat --data @v1-small --json", "purge --max-age soon",
                "purge --data @missing",
            ]),
        Session(verb: "maintain", command: MaintainCommand.self, runs: ["maintain --data @missing"]),
        Session(
            verb: "token", command: TokenCommand.self,
            subcommands: [TokenCommand.Add.self, TokenCommand.List.self, TokenCommand.Revoke.self],
            runs: [
                "token list --data @guarded", "token list --data @guarded --json", "token list --data @v1-small",
                "token list --data @v1-small --json", "token add --name a/b --scope read", "token add --name a",
                "token add --name a --scope all", "token add --name a --scope read --stream A",
                "token add --name old --scope read --data @guarded", "token revoke nobody --data @guarded",
                "token revoke old --data @guarded", "token revoke fedcba98 --data @guarded --json",
                "token list --data @guarded",
            ]),
        Session(
            verb: "acl", command: AclCommand.self, subcommands: [AclCommand.Test.self],
            runs: [
                "acl test --path /wsapi/interaction_data --cn reporter-1 --acl @acl.json --data @v1-small",
                "acl test --path //wsapi/x/%2e%2e/interaction_data/count/?start=1 --cn reporter-1 --acl @acl.json "
                    + "--data @v1-small --json",
                "acl test --path /wsapi/interaction_data/last --cn reporter-1 --acl @acl.json --data @v1-small",
                "acl test --path /livez --acl @acl.json --data @v1-small",
                "acl test --path /wsapi%2Finteraction_data --cn reporter-1 --acl @acl.json --data @v1-small --json",
                "acl test --path /nothing --cn root --acl @acl.json --data @v1-small",
                "acl test --path /openapi.json --cn root --data @guarded",
                "acl test --path /wsapi/interaction_data --token secret --data @guarded",
                "acl test --path /wsapi/interaction_data --method POST --data @guarded --json",
                "acl test --path /wsapi/interaction_data --data @v1-small",
                "acl test --path / --acl @bad.json --data @v1-small", "acl test --path / --acl @odd.json",
                "acl test --path / --acl @short.json", "acl test --path / --acl @sample.ndjson",
                "acl test --path / --acl @missing", "acl test --path / --acl @allow.json --cn a --data @v1-small",
                "acl test --path /wsapi/interaction_data/last --cn reporter-7 --config @door.yml",
                "acl test --path /wsapi/interaction_data/last --cn reporter-7x --config @door.yml --json",
                "acl test --path /metrics --cn reporter-7 --listener health --config @door.yml",
                "acl test --path /metrics --listener nobody --config @door.yml",
                "acl test --path /metrics --config @door.yml --acl @acl.json", "acl test --path / --config @faulty.yml",
            ]),
        Session(
            verb: "audit", command: AuditCommand.self,
            runs: [
                "audit --data @v1-small", "audit --data @missing", "audit --data @audited",
                "audit --data @audited --json",
            ]),
        Session(
            verb: "policy", command: PolicyCommand.self,
            subcommands: [PolicyCommand.Set.self, PolicyCommand.Show.self],
            runs: [
                "policy show --data @v1-small", "policy show --data @v1-small --json",
                "policy set --max-age 90d --max-bytes 10GiB --min-free 5GiB --data @v1-small",
                "policy set --max-age 36h --min-free none --data @v1-small", "policy show --data @v1-small",
                "policy show --data @v1-small --json", "policy set --forever --data @v1-small",
                "policy set --data @v1-small", "policy set --forever --max-age 1d", "policy set --max-age soon",
                "policy set --max-bytes 1KiB", "policy set --forever --data @missing", "policy show --data @missing",
                "policy set --forever --data @v1-small --config @named.yml",
                "policy show --data @v1-small --config @named.yml",
                "policy show --data @v1-small --json --config @named.yml",
                "policy show --data @damaged --config @named.yml", "policy show --config @none.yml",
            ]),
        Session(
            verb: "hold", command: HoldCommand.self,
            subcommands: [HoldCommand.Add.self, HoldCommand.List.self, HoldCommand.Remove.self],
            runs: [
                "hold list --data @v1-small", "hold list --data @v1-small --json",
                "hold add --from 2026-01-01 --to 2026-03-31 --reason spring --data @v1-small",
                "hold add --from 2h --to now --reason week --data @v1-small --json", "hold list --data @v1-small",
                "hold list --data @v1-small --json", "hold remove 1 --data @v1-small",
                "hold remove 1 --data @v1-small", "hold remove 2 --data @v1-small --json",
                "hold add --from today --to 2d --reason never --data @v1-small", "hold add --from 1 --to 2",
                "hold add --from soon --to 2 --reason never", "hold list --data @missing",
            ]),
        Session(
            verb: "users", command: UsersCommand.self,
            subcommands: [
                UsersCommand.Show.self, UsersCommand.Devices.self, UsersCommand.Logs.self, UsersCommand.Unused.self,
            ],
            runs: [
                "users show ann --data @missing", "users devices ann --data @missing", "users logs --data @missing",
                "users logs ann --limit 0", "users unused --data @missing", "users show ann --config @named.yml",
            ]),
        Session(
            verb: "erase", command: EraseCommand.self,
            runs: ["erase --user ann --data @missing", "erase --now --data @missing"]),
        Session(
            verb: "import", command: ImportCommand.self, subcommands: [ImportCommand.UserMetaDB.self],
            runs: ["import usermetadb @none --data @missing", "import usermetadb @sample.ndjson --data @missing"]),
        Session(
            verb: "dump", command: DumpCommand.self,
            runs: ["dump \(segment)", "dump \(segment) --json", "dump \(segment) --lines", "dump @missing"]),
        Session(verb: "version", command: VersionCommand.self, runs: ["version"]),
    ]

    /// Two hours after the newest event of the store.
    private static let now: @Sendable () -> UInt64 = { 1_794_963_600_000 + 7_200_000 }

    private static let free: UInt64 = 123_456_789_012

    @Test(arguments: sessions)
    private func transcript(_ session: Session) async throws {
        let directory = try TemporaryDirectory()
        try await Self.prepare(directory)
        var text = Self.help(session.verb, session.command)
        for command in session.subcommands {
            text += "\n" + Self.help("\(session.verb) \(command._commandName)", command)
        }
        for run in session.runs { text += try await Self.transcript(of: run, in: directory.path) }
        let path = "\(Self.fixtures)/commands/\(session.verb).txt"
        if Self.isWriting {
            mkdir("\(Self.fixtures)/commands", 0o755)
            try WholeFile.write(Array(text.utf8), to: path)
        }
        let golden = try #require(WholeFile.read(path), "\(path) is missing")
        #expect(text == String(decoding: golden, as: UTF8.self))
    }

    private static func help(_ verb: String, _ command: any ParsableCommand.Type) -> String {
        "$ daybook help \(verb)\n" + Daybook.helpMessage(for: command, columns: 80) + "\n"
    }

    private static func prepare(_ directory: borrowing TemporaryDirectory) async throws {
        let store = try directory.copy(of: "\(Self.fixtures)/stores/v1-small", to: "v1-small")
        _ = try directory.copy(of: store, to: "damaged")
        let path = "\(directory.path)/damaged/interactions/hot/00000000000000000001.ndjson.lz4"
        var bytes = try #require(WholeFile.read(path))
        bytes[bytes.count / 2] ^= 1
        try WholeFile.write(bytes, to: path)
        _ = try directory.copy(of: store, to: "lost")
        for slot in 0...1 { unlink("\(directory.path)/lost/interactions/MANIFEST.\(slot)") }
        for (name, text) in configurations {
            _ = try directory.write(text.replacing("@", with: "\(directory.path)/"), to: name)
        }
        try await prepareAccess(directory)
        _ = try directory.write(sample, to: "sample.ndjson")
        _ = try directory.write(dump, to: "dump.json")
    }

    private static let configurations = [
        "named.yml": """
        streams:
          interactions:
            path: @v1-small
            policy: {max_age: 30d}
        listeners:
        - {name: events, role: interactions, address: "127.0.0.1:0"}
        maintain: {at: ["03:17"]}

        """,
        "door.yml": """
        streams:
          interactions: {path: @v1-small}
        listeners:
        - role: interactions
          address: "127.0.0.1:0"
          acl:
          - {path: "/wsapi/interaction_data(/.*)?", cn: "reporter-[0-9]+"}
        - {name: health, role: admin, address: "127.0.0.1:0", acl: [{path: /metrics, cn: prometheus}]}

        """,
        "faulty.yml": """
        listners: []
        streams:
          interactions: {resolution: 7m, path: @v1-small}
        threads: lots
        maintain:
        - daily

        """,
        "roles.yml": """
        db_uri: @users
        http_server: {}
        streams:
          logins: {policy: {max_age: 30d}}
          last-logins: {policy: forever, resolution: 2h}

        """,
        "tab.yml": "threads:\t1\n\tlimits: {}\n",
    ]

    private static func prepareAccess(_ directory: borrowing TemporaryDirectory) async throws {
        for (name, text) in [
            ("acl", #"[{"path":"/wsapi/interaction_data(/count)?","cn":"reporter-[0-9]+"},{"path":".*","cn":"root"}]"#),
            ("allow", #"{"allow":[{"cn":"a","path":"/"}]}"#),
            ("bad", #"[{"path":"/","cn":"a"},{"path":"/[a","cn":"b"}]"#),
            ("odd", #"{"allow":[],"deny":[]}"#), ("short", #"[{"path":"/"}]"#),
        ] { _ = try directory.write(text, to: "\(name).json") }
        mkdir("\(directory.path)/guarded", 0o755)
        let hash = String(repeating: "a0", count: 32)
        _ = try directory.write(
            """
            daybook tokens 1
            0123abcd \(hash) ingest,read * 1794960000000 never web-1
            fedcba98 \(hash) admin interactions 1794960000000 1794963600000 old

            """, to: "guarded/TOKENS")
        try await auditedStore(at: "\(directory.path)/audited")
    }

    private static let sample = """
        {"timestamp":1361407260001,"lang":"en"}
        {"timestamp":1361407200000,"lang":"de","_id":"posted"}

        """

    private static let dump = """
        {"total_rows":4,"offset":0,"rows":[
        {"id":"_design/kpi","key":"_design/kpi","value":{"rev":"1-a"},"doc":{"_id":"_design/kpi","views":{}}},
        {"id":"a","key":"a","value":{"rev":"1-b"},"doc":{"_id":"a","_rev":"1-b","timestamp":1361407260001}},
        {"id":"b","key":"b","value":{"rev":"1-c"},"doc":{"_id":"b","_rev":"1-c","timestamp":"soon"}},
        {"id":"c","key":"c","value":{"rev":"1-d"},"doc":{"_id":"c","_rev":"1-d"}}
        ]}

        """

    /// Talk is marked; the exit code is told where it is not 0.
    private static func transcript(of line: String, in directory: String) async throws -> String {
        let arguments = line.split(separator: " ").map { argument in
            argument.hasPrefix("@") ? "\(directory)/\(argument.dropFirst())" : String(argument)
        }
        let run = try await FreeSpace.$fixed.withValue(free) {
            try await WallClock.$now.withValue(now) { try await CommandRun(arguments) }
        }
        let talk = run.talk.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { "2> \($0)\n" }
        let status = run.status == 0 ? "" : "exit \(run.status)\n"
        let text = (run.output + talk.joined()).replacing("\(directory)/", with: "")
        return "\n$ daybook \(line.replacing("@", with: ""))\n\(text)\(status)"
    }
}

/// A store with records of every kind.
private func auditedStore(at data: String) async throws {
    mkdir(data, 0o755)
    let head = #"{"timestamp":1794960000000,"type":"#
    let store = #""stream":"interactions""#
    let lines = [
        #"\#(head)"purge",\#(store),"policy":{"max_age":1,"max_bytes":null,"min_free":null},"horizon_before":0,"#
            + #""horizon_after":1794960000000,"events":1234,"bytes":4096,"oldest":600000,"newest":1200000,"#
            + #""segments":[{"number":1}]}"#,
        #"\#(head)"read",\#(store),"who":"token:ci","what":"events","from":1794957000000,"to":null,"subject":null,"#
            + #""times":3,"events":1234}"#,
        #"\#(head)"read",\#(store),"who":null,"what":"event","from":null,"to":null,"#
            + #""subject":"0123456789abcdef0123456789abcdef","times":1,"events":1}"#,
        #"\#(head)"refusal",\#(store),"who":"cn:mallory","reason":"not_allowed","times":17}"#,
        #"\#(head)"another"}"#,
    ]
    let log = try EventLog.open(data, options: LogOptions(), environment: .system)
    try log.audit.append(lines.map { AuditEntry(line: $0, time: 1_794_960_000_000) })
    try await log.close()
}
