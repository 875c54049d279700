import ArgumentParser
import Glibc
import WebAPI

@main
struct Daybook: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daybook",
        abstract: "An append-only event store whose files are ordinary compressed NDJSON.",
        discussion: """
            Data goes to standard output, talk to standard error. Exit codes: \(ExitStatus.summary).
            """,
        version: Build.version,
        subcommands: [
            ServeCommand.self, WebheadCommand.self, SpoolCommand.self, IngestCommand.self, ReadCommand.self,
            TailCommand.self, StatCommand.self, VerifyCommand.self, RepairCommand.self, MaintainCommand.self,
            SealCommand.self, CompactCommand.self, PurgeCommand.self, PolicyCommand.self, HoldCommand.self,
            UsersCommand.self, EraseCommand.self, ImportCommand.self, TokenCommand.self, AclCommand.self,
            AuditCommand.self, ConfigCommand.self, DumpCommand.self,
            VersionCommand.self, BenchStoreCommand.self,
        ])

    static func main() async {
        ProcessLimits.prepare()
        let status = await run(Array(CommandLine.arguments.dropFirst()))
        Glibc.exit(status)
    }

    /// The command line that runs in this task.
    @TaskLocal static var arguments: [String] = []

    /// Runs one command as `Console.current` sees it, and returns its exit code.
    static func run(_ arguments: [String]) async -> Int32 {
        await $arguments.withValue(arguments) {
            await status(on: Console.current) {
                var command = try parseAsRoot(arguments)
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
        }
    }

    /// Runs `body`, tells on `console` what it fails with, and returns the exit code.
    static func status(on console: Console, of body: () async throws -> Void) async -> Int32 {
        do {
            do {
                try await body()
                try console.flush()
            } catch let failure as CommandFailure {
                // What was found before the failure is data all the same.
                try console.flush()
                throw failure
            }
            return ExitStatus.success.rawValue
        } catch {
            return report(error, console)
        }
    }

    private static func report(_ error: any Error, _ console: Console) -> Int32 {
        if error is ClosedPipe { return ExitStatus.success.rawValue }
        if let failure = CommandFailure(of: error) {
            if !failure.message.isEmpty { console.say("daybook: \(failure.message)") }
            return failure.status.rawValue
        }
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code.isSuccess else {
            console.say(message)
            return code.rawValue
        }
        do {
            try console.write(message + "\n")
            try console.flush()
        } catch {
            return ExitStatus.success.rawValue
        }
        return code.rawValue
    }
}
