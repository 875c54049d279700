import ArgumentParser
import LogEngine
import SegmentFormat
import UserMetadata

struct EraseCommand: UserJob {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Removes a user from the user metadata, for good.",
        discussion: """
            No call and no command shows the user any more when this ends, and a receipt is in the stream audit, without \
            the name. The bytes go with the next compaction of both streams, which maintain does, or at once with --now. \
            Who was never there is erased likewise; who comes again begins afresh.

            What a hold covers stays on the disk until the hold is removed; with --now it is told, with code 7, and so is \
            a damaged segment that may hold something of the user. \(Self.beside)

            Examples:
              daybook erase --user ann@example.org --data /var/lib/daybook-users
              printf %s ann@example.org | daybook erase --user - --now --config /etc/daybook.yml
            """)
    static let job = JobKind.erase

    @OptionGroup var place: UserPlaceOptions

    @Option(help: ArgumentHelp("The user; - for a line of standard input.", valueName: "name"))
    var user: String

    @Flag(help: "Compact both streams as well, so that nothing of the user is left in the files.")
    var now = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let name = try UserName.read(user)
        var named = self
        named.user = name
        try await named.hand(["erase", "--user=\(name)"] + (now ? ["--now"] : []) + (json ? ["--json"] : []))
    }

    func run(on users: UserStore, _ console: Console) async throws {
        let name = try AskedBody([("username", .text(user))]).read(UserQuestion.init).username
        try await users.erase(name)
        var receipt = ErasureReceipt(subject: users.subject(of: name), isCompacted: now)
        if now {
            for log in [users.logins, users.lastLogins] {
                receipt.damaged += try await compact(log, console)
                if log.snapshot().erased(receipt.subject) != nil { receipt.kept.append(log.stream) }
            }
        }
        receipt.holds = [users.logins, users.lastLogins].flatMap { log in
            log.snapshot().holds.map { (stream: log.stream, hold: $0) }
        }
        try console.write(json ? receipt.json.description + "\n" : receipt.text)
        if !receipt.kept.isEmpty { throw CommandFailure(.deferred, "") }
    }

    /// Returns what could not be compacted.
    private func compact(_ log: EventLog, _ console: Console) async throws -> [String] {
        let meter = JobMeter("compacting \(log.stream)", console)
        defer { meter.clear() }
        return try await log.compact(CompactionOptions()) { meter.show($0) }.damaged.map(\.description)
    }
}

/// What became of a user.
struct ErasureReceipt {
    /// By which the record in `audit` knows the user.
    let subject: Hash128
    let isCompacted: Bool
    /// Streams of which files still hold something of the user.
    var kept: [StreamName] = []
    var damaged: [String] = []
    var holds: [(stream: StreamName, hold: Hold)] = []

    private var name: String { subject.hex }

    var text: String {
        var lines = ["erased from logins and last-logins; the record in audit has subject \(name)"]
        if !isCompacted {
            lines.append("the next compaction of both streams removes it from the files")
        } else if kept.isEmpty {
            lines.append("compacted: nothing of it is left in the files")
        }
        for stream in kept { lines.append("\(stream): something of it is still in the files") }
        lines += damaged.map { "\($0); the segment is left as it is" }
        if !isCompacted || !kept.isEmpty {
            lines += holds.map { "\($0.stream): hold \($0.hold.number) (\($0.hold.reason)) keeps what it covers" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    var json: JSONValue {
        .object([
            ("subject", .text(name)), ("compacted", .bool(isCompacted)),
            ("kept", .list(kept.map { .text($0.description) })), ("damaged", .list(damaged.map { .text($0) })),
            (
                "holds",
                .list(
                    holds.map { stream, hold in
                        .object([
                            ("stream", .text(stream.description)), ("hold", .number(hold.number)),
                            ("reason", .text(hold.reason)),
                        ])
                    })
            ),
        ])
    }
}
