import ArgumentParser
import LogEngine
import SegmentFormat
import WebAPI

extension TokenScope: ExpressibleByArgument {}

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes, lists and revokes the tokens that let clients in.",
        discussion: """
            A client sends a token as Authorization: Bearer TOKEN. As soon as a data directory has tokens, its server \
            lets in who has one, or another name that it knows (SPEC.md §20). Kept is what a token allows and its SHA-256; \
            a running server takes changes over within a second.
            """,
        subcommands: [Add.self, List.self, Revoke.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Makes a token and prints it, this once.",
            discussion: """
                Scopes: ingest stores events, read reads, counts and follows them, admin sees how the server does. None \
                holds another. Makes the data directory if need be, but no store.

                Example:
                  daybook token add --name web-1 --scope ingest --expires 90d --data /var/lib/daybook
                """)

        /// Times are floored to this, ends raised to it.
        private static let resolution: UInt64 = 600_000

        @OptionGroup var store: DataOptions

        @Option(help: ArgumentHelp("Whose it is: 1 to 64 letters, digits and . _ - @.", valueName: "name"))
        var name: String

        @Option(name: .customLong("scope"), help: "What it allows; may be given more than once.")
        var scopes: [TokenScope]

        @Option(
            name: .customLong("stream"),
            help: ArgumentHelp(
                "The stream that it is for, as interactions; may be given more than once. All by default.",
                valueName: "name"))
        var streams: [String] = []

        @Option(help: ArgumentHelp("How long it is good, as 90d; for ever by default.", valueName: "time"))
        var expires: Span?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard !scopes.isEmpty else { throw ValidationError("Name a scope: --scope ingest, read or admin.") }
            guard Token.isName(name) else {
                throw ValidationError("--name is 1 to 64 letters, digits and . _ - @.")
            }
            for stream in streams where StreamName(stream) == nil {
                throw ValidationError("--stream: '\(stream)' is no name of a stream.")
            }
        }

        func run() throws {
            let secret = TokenSecret.random()
            let now = WallClock.now()
            let token = Token(
                id: String(UInt64.random(in: .min ... .max).hex.prefix(8)), name: name, hash: secret.hash,
                scopes: Set(scopes), streams: streams.isEmpty ? nil : Set(streams),
                created: now / Self.resolution * Self.resolution,
                expires: expires.map {
                    (now + $0.milliseconds + Self.resolution - 1) / Self.resolution * Self.resolution
                }
            )
            try TokenFile(data: store.data, disk: PosixDisk()).update { list in
                do throws(TokenList.Refusal) {
                    try list.add(token)
                } catch {
                    throw CommandFailure(.usage, Self.text(error, name))
                }
            }
            let console = Console.current
            if json {
                let members = token.members + [(name: "token", value: .text(secret.text))]
                try console.write(JSONValue.object(members).description + "\n")
            } else {
                console.say("\(token.text)\nThe token is shown only now:")
                try console.write(secret.text + "\n")
            }
        }

        private static func text(_ refusal: TokenList.Refusal, _ name: String) -> String {
            switch refusal {
            case .nameTaken: "there is a token named \(name); revoke it first"
            case .full: "there are \(TokenList.most) tokens; revoke one first"
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Tells which tokens there are.",
            discussion: "The tokens themselves are kept nowhere. Works beside a running server.")

        @OptionGroup var store: DataOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let tokens = try TokenFile(data: store.data, disk: PosixDisk()).read()?.all ?? []
            if json {
                let list = JSONValue.object([("tokens", .list(tokens.map { .object($0.members) }))])
                try Console.current.write(list.description + "\n")
            } else {
                for token in tokens { try Console.current.write(token.text + "\n") }
            }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Ends a token.",
            discussion: """
                Requests that have begun go on to their end. Where it was the last token, nobody is let in by one any \
                more until there is another; that is no way back to a server that asks for none. Prints the token that \
                was revoked.
                """)

        @OptionGroup var store: DataOptions

        @Argument(
            help: ArgumentHelp("The name of the token, or its id, as daybook token list tells it.", valueName: "name"))
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let file = TokenFile(data: store.data, disk: PosixDisk())
            let missing = CommandFailure(.noInput, "\(file.path): there is no token '\(name)'")
            guard try file.read() != nil else { throw missing }
            let token = try file.update { list in
                guard let token = list.remove(name) else { throw missing }
                return token
            }
            try Console.current.write((json ? JSONValue.object(token.members).description : token.text) + "\n")
        }
    }
}

extension Token {
    fileprivate var text: String {
        let scopes = TokenScope.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: ",")
        let streams = streams.map { $0.sorted().joined(separator: ",") } ?? "all streams"
        let end = expires.map { ", until \(timeText($0))" } ?? ""
        return "token \(id) \(name): \(scopes) of \(streams), since \(timeText(created))\(end)"
    }

    fileprivate var members: [(name: String, value: JSONValue)] {
        let scopes = TokenScope.allCases.filter(scopes.contains).map { JSONValue.text($0.rawValue) }
        let streams: JSONValue = if let streams { .list(streams.sorted().map { .text($0) }) } else { .null }
        let expires: JSONValue = if let expires { .number(expires) } else { .null }
        return [
            ("id", .text(id)), ("name", .text(name)), ("scopes", .list(scopes)), ("streams", streams),
            ("created", .number(created)), ("expires", expires),
        ]
    }
}
