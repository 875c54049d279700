import ArgumentParser

struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Tells what the user metadata knows of users.",
        discussion: """
            Where a server has the directory open, it is asked; else this command reads it, and needs its key. Writes \
            nothing. NAME may be - for a line of standard input.
            """,
        subcommands: [Show.self, Devices.self, Logs.self, Unused.self])
}

/// What is asked of one user.
protocol NamedUserJob: UserQuestionJob {
    var user: String { get set }
    /// As they stand on a command line.
    var options: [String] { get }
}

extension NamedUserJob {
    var options: [String] { [] }

    func run() async throws {
        var named = self
        named.user = try UserName.read(user)
        let words = ["users", Self.configuration.commandName ?? ""] + options + (json ? ["--json"] : [])
        try await named.hand(words + ["--", named.user])
    }
}
