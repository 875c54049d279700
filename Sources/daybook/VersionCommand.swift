import ArgumentParser
import WebAPI

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Prints the version of the program and of its files.")

    func run() throws {
        try Console.current.write("daybook \(Build.version), file format \(Build.format)\n")
    }
}
