import ArgumentParser

enum Version {
    static let text = "0.1.0"
    /// Of the files (SPEC F5).
    static let format = 1
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Prints the version of the program and of its files.")

    func run() throws {
        try Console.current.write("daybook \(Version.text), file format \(Version.format)\n")
    }
}
