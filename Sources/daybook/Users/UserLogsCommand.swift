import ArgumentParser
import LogEngine
import SegmentFormat
import UserMetadata

extension UsersCommand {
    struct Logs: NamedUserJob {
        static let configuration = CommandConfiguration(
            commandName: "logs", abstract: "Prints what happened to an account, the newest first.",
            discussion: """
                A line each: time, type, service, login method, device, place and message, as far as they are known. With \
                --json entries as they are stored.

                Example:
                  daybook users logs ann@example.org --max-days 7 --json --data /var/lib/daybook-users | jq .type
                """)

        @Argument(help: ArgumentHelp("The user.", valueName: "name"))
        var user: String

        @OptionGroup var place: UserPlaceOptions

        @Option(help: ArgumentHelp("So many days back (default: all).", valueName: "n"))
        var maxDays: UInt64?

        @Option(help: ArgumentHelp("At most so many entries.", valueName: "n"))
        var limit = 100

        @Flag(help: "Print JSON, an object a line.")
        var json = false

        var options: [String] {
            ["--limit", String(limit)] + (maxDays.map { ["--max-days", String($0)] } ?? [])
        }

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is at least 1.") }
        }

        func ask(_ users: UserStore, _ console: Console) throws {
            var (left, isComplete) = (limit, true)
            var body: [(name: String, value: JSONValue)] = [("username", .text(user))]
            if let maxDays { body.append(("max_days", .number(maxDays))) }
            var question = try AskedBody(body).read(UserLogsQuestion.init)
            repeat {
                question.limit = min(left, UserBounds.page)
                let page = try users.page(question)
                for line in page.lines { try tell(line, console) }
                left -= page.lines.count
                isComplete = isComplete && page.isComplete
                question.cursor = page.next
            } while left > 0 && question.cursor != nil
            guard isComplete else { throw CommandFailure(.data, "entries are missing: a block cannot be read") }
        }

        private func tell(_ line: [UInt8], _ console: Console) throws {
            let text = json ? String(decoding: line, as: UTF8.self) : try line.withUnsafeBytes(Self.text)
            try console.write(text + "\n")
        }

        private static func text(_ line: UnsafeRawBufferPointer) throws -> String {
            let entry: StoredLogin
            do throws(StoredEntryFault) {
                entry = try StoredLogin(line)
            } catch { throw CommandFailure(.data, error.description) }
            let device = entry.device?.id.map(\.hex)
            let words = [entry.type, entry.service, entry.loginMethod, device.map { Array($0.utf8) }]
            let all = words + [entry.device?.zone, entry.message]
            let texts = all.map { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } ?? "–" }
            return ([timeText(entry.bucket.milliseconds)] + texts).joined(separator: "  ")
        }
    }

    struct Unused: UserQuestionJob {
        static let configuration = CommandConfiguration(
            commandName: "unused", abstract: "Lists accounts without a login for so many days.",
            discussion: """
                One name a line, by name, of all accounts that ever had a login to a service; those that never had one \
                are not known here.

                Example:
                  daybook users unused --days 365 --data /var/lib/daybook-users
                """)

        @OptionGroup var place: UserPlaceOptions

        @Option(help: ArgumentHelp("Days without a login.", valueName: "n"))
        var days: UInt64

        @Option(help: ArgumentHelp("Logins to this service alone count.", valueName: "name"))
        var service: String?

        @Flag(help: "Print JSON, a string a line.")
        var json = false

        func ask(_ users: UserStore, _ console: Console) throws {
            var body: [(name: String, value: JSONValue)] = [
                ("days", .number(days)), ("limit", .number(UserBounds.page)),
            ]
            if let service { body.append(("service", .text(service))) }
            var question = try AskedBody(body).read(UnusedAccountsQuestion.init)
            repeat {
                let page = users.unusedAccounts(question)
                for name in page.usernames {
                    let text = String(decoding: name, as: UTF8.self)
                    try console.write((json ? JSONValue.text(text).description : text) + "\n")
                }
                question.cursor = page.next
            } while question.cursor != nil
        }
    }
}
