import ArgumentParser
import LogEngine
import SegmentFormat
import Settings
import WebAPI

struct AclCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acl", abstract: "Explains who is let in.", subcommands: [Test.self])

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Tells whether a request would be let in, and why.",
            discussion: """
                Asks what a listener of the configuration asks, its tokens and those of the data directory among it; or, \
                with --acl, the acl of another file. The exit code is 0 where the request is let in, 77 where it is not.

                Examples:
                  daybook acl test --path /wsapi/interaction_data --cn reporter-1 --config daybook.yml
                  daybook acl test --path /wsapi/interaction_data --method POST --token - < token
                """)

        @OptionGroup var configured: ConfigurationOptions

        @Option(
            help: ArgumentHelp("The data directory (default: what the configuration says).", valueName: "dir"),
            completion: .directory)
        var data: String?

        @Option(
            help: ArgumentHelp(
                "The listener that is asked, by its name (default: the first that serves interactions).",
                valueName: "name"))
        var listener: String?

        @Option(help: ArgumentHelp("The path that is asked for, as a client sends it.", valueName: "path"))
        var path: String

        @Option(
            help: ArgumentHelp("The name of who asks: the certificate's CommonName, or the user's.", valueName: "name"))
        var cn: String?

        @Option(help: ArgumentHelp("The method.", valueName: "method"))
        var method = "GET"

        @Option(help: ArgumentHelp("The token that is sent; - reads it from standard input.", valueName: "token"))
        var token: String?

        @Option(
            help: ArgumentHelp(
                #"A file with the acl, as [{"path":"…","cn":"…"}], instead of the configuration."#, valueName: "file"),
            completion: .file())
        var acl: String?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if acl != nil, configured.file != nil || listener != nil {
                throw ValidationError("--acl stands in place of a configuration: not with --config or --listener.")
            }
        }

        func run() throws {
            let (policy, role) = try acl.map { (try self.policy(ofFile: $0), Role.interactions) } ?? asked()
            let explanation = AccessExplanation(
                of: policy, role: role, method: method.uppercased(), target: path, commonName: cn,
                token: token == "-" ? readLine(strippingNewline: true) ?? "" : token)
            let console = Console.current
            try console.write(json ? explanation.json.description + "\n" : explanation.text(policy.rules))
            if case .refused = explanation.verdict { throw CommandFailure(.refused, "") }
        }

        private func policy(ofFile path: String) throws -> AccessPolicy {
            let rules = try AccessFile.rules(at: path)
            let tokens = TokenBook()
            tokens.replaceStored(try TokenFile(data: data ?? "./data", disk: PosixDisk()).read())
            return AccessPolicy(
                rules: rules, tokens: tokens, stream: StreamName.interactions.description, now: WallClock.now)
        }

        /// Of the listener that is asked.
        private func asked() throws -> (AccessPolicy, Role) {
            let configuration = try configured.load(flags: data.map { ["data": $0] } ?? [:], telling: .current)
            let listener = try chosen(configuration)
            let tokens = TokenBook(configuration)
            let stored = TokenFile(data: listener.data ?? configuration.interactions.data, disk: PosixDisk())
            tokens.replaceStored(try stored.read())
            return (try AccessPolicy(listener, tokens), Role(listener.role))
        }

        private func chosen(_ configuration: Configuration) throws(CommandFailure) -> Listener {
            let all = configuration.listeners
            let found = listener.map { name in all.first { $0.name == name } } ?? all.first { $0.role == .interactions }
            if let found { return found }
            let names = all.map(\.name).joined(separator: ", ")
            throw CommandFailure(
                .usage,
                listener.map { "there is no listener named \($0), but \(names)" }
                    ?? "none of the listeners serves interactions; name one of \(names) with --listener")
        }
    }
}

extension AccessExplanation {
    fileprivate func text(_ rules: AccessRules?) -> String {
        var lines = ["path     \(path ?? "none")", "needs    \(need ?? "nothing")", "who      \(who ?? "nobody")"]
        switch verdict {
        case .allowed(let grounds): lines.append("allowed  " + Self.text(grounds, rules))
        case .refused(let status, let reason, let detail): lines.append("refused  \(status) \(reason): \(detail)")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func text(_ grounds: Grounds, _ rules: AccessRules?) -> String {
        switch grounds {
        case .publicPath: "this path is open to anybody"
        case .noRules: "there is neither an acl nor a token: anybody is let in"
        case .token: "by the token"
        case .name: "by the name: there is no acl"
        case .entry(let index):
            "by entry \(index + 1) of the acl" + (rules.map { ": \(Self.text($0.entries[index]))" } ?? "")
        }
    }

    private static func text(_ entry: AccessEntry) -> String { "path \(entry.path), cn \(entry.commonName)" }

    fileprivate var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        var members: [(name: String, value: JSONValue)] = [
            ("path", text(path)), ("needs", text(need)), ("who", text(who)),
        ]
        switch verdict {
        case .allowed(let grounds):
            let entry: JSONValue = if case .entry(let index) = grounds { .number(index + 1) } else { .null }
            members += [("allowed", .bool(true)), ("by", .text(Self.word(grounds))), ("entry", entry)]
        case .refused(let status, let reason, let detail):
            members += [
                ("allowed", .bool(false)), ("status", .number(status)), ("reason", .text(reason)),
                ("detail", .text(detail)),
            ]
        }
        return .object(members)
    }

    private static func word(_ grounds: Grounds) -> String {
        switch grounds {
        case .publicPath: "public"
        case .noRules: "no_rules"
        case .token: "token"
        case .name: "name"
        case .entry: "acl"
        }
    }
}
