import ArgumentParser
import Glibc
import LogEngine
import Settings
import WebAPI

/// `--config FILE`, for every command that asks what a server is told.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file (default: $\(Configuration.fileVariable), else \(Configuration.standardFile), "
                + "which need not be there).",
            valueName: "file"),
        completion: .file(extensions: ["yml", "yaml"]))
    var file: String?

    /// - Parameter flags: the texts of those that were given, by their long names.
    func load(flags: [String: String] = [:]) throws(ConfigurationError) -> Configuration {
        let overrides = Overrides(flags: flags, environment: ProcessEnvironment.variables)
        let configuration = try Configuration.load(file, overrides, .ours, patternFault: Pattern.fault)
        let faults = Unserved.faults(of: configuration)
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        return configuration
    }

    /// The same for a command that cannot do without: tells the notes, or every fault.
    func load(flags: [String: String] = [:], telling console: Console) throws(CommandFailure) -> Configuration {
        do throws(ConfigurationError) {
            let configuration = try load(flags: flags)
            for note in configuration.notes { console.say(note) }
            return configuration
        } catch {
            throw CommandFailure(error, console)
        }
    }
}

enum Pattern {
    /// Why a text is no pattern of a path or a name; `nil` where it is one.
    @Sendable static func fault(_ text: String) -> String? {
        AccessRules.fault(in: text).map { "at character \($0.offset + 1): \($0.reason)" }
    }
}

/// The variables of this process.
enum ProcessEnvironment {
    /// A test puts its own here.
    @TaskLocal static var fixed: [String: String]?

    static var variables: [String: String] {
        if let fixed { return fixed }
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            next += 1
        }
        return variables
    }
}

extension CommandFailure {
    /// Tells all faults on `console` but one, which is the failure's own.
    init(_ error: ConfigurationError, _ console: Console) {
        let status: ExitStatus = error.isMissing ? .noInput : error.isOfFlags ? .usage : .configuration
        guard error.faults.count + error.more > 1 else {
            self.init(status, error.faults.first?.description ?? "")
            return
        }
        for fault in error.faults { console.say(fault.description) }
        self.init(status, "the configuration has \(error.faults.count + error.more) faults")
    }
}

extension ConfigurationError {
    /// All that is wrong is on the command line.
    fileprivate var isOfFlags: Bool {
        faults.allSatisfy { fault in
            if case .flag = fault.origin { true } else { false }
        }
    }
}
