import ArgumentParser
import Settings

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks a configuration file, or tells what holds.",
        discussion: """
            What daybook serve is told comes from flags, from variables (DAYBOOK_ADDR, DAYBOOK_LIMITS_CONNECTIONS: the name \
            of a flag or of a setting), from one YAML file, and from defaults, the first of them that says something. \
            tools/config/daybook.yml shows all settings.
            """,
        subcommands: [Check.self, Show.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Tells every fault of a configuration file.",
            discussion: """
                A line each, FILE:LINE:COLUMN: SETTING: what is wrong, and what is allowed; code 78 if there is any. Reads \
                the files that it names, but opens no store and no socket.

                Example:
                  daybook config check --config daybook.yml && systemctl restart daybook
                """)

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let console = Console.current
            let configuration: Configuration
            do throws(ConfigurationError) {
                configuration = try options.load()
            } catch {
                return try console.report(error, json: json)
            }
            for note in configuration.notes { console.say(note) }
            try console.report(configuration, json: json)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Tells each setting that holds, and where it comes from.",
            discussion: "Secrets are not shown. A setting that is not listed has no value.")

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let console = Console.current
            let settings = try options.load(telling: console).settings.filter { $0.value != "" }
            try console.write(json ? Self.json(settings).description + "\n" : Self.text(settings))
        }

        private static func text(_ settings: [Setting]) -> String {
            settings.map { "\($0.name): \($0.value ?? "***")  # \($0.origin)\n" }.joined()
        }

        private static func json(_ settings: [Setting]) -> JSONValue {
            let list = settings.map { setting in
                JSONValue.object([
                    ("name", .text(setting.name)), ("value", .text(setting.value ?? "***")),
                    ("secret", .bool(setting.value == nil)), ("source", .text(setting.origin.description)),
                ])
            }
            return .object([("settings", .list(list))])
        }
    }
}

extension Console {
    fileprivate func report(_ configuration: Configuration, json: Bool) throws {
        let file = configuration.file
        if json {
            try write(
                JSONValue.object([("file", file.map { .text($0) } ?? .null), ("faults", .list([]))]).description + "\n")
        } else {
            try write("\(file ?? "no file"): no faults\n")
        }
    }

    fileprivate func report(_ error: ConfigurationError, json: Bool) throws {
        if json {
            let faults = error.faults.map { fault in
                JSONValue.object(
                    fault.place + [("setting", .text(fault.setting)), ("message", .text(fault.message))])
            }
            let report = JSONValue.object([("faults", .list(faults)), ("more", .number(error.more))])
            try write(report.description + "\n")
        } else {
            for fault in error.faults { try write(fault.description + "\n") }
            if error.more > 0 { try write("and \(error.more) more\n") }
        }
        throw CommandFailure(error.isMissing ? .noInput : .configuration, "")
    }
}

extension ConfigurationFault {
    fileprivate var place: [(name: String, value: JSONValue)] {
        switch origin {
        case .file(let place):
            [("source", .text(place.file)), ("line", .number(place.line)), ("column", .number(place.column))]
        case .standard: [("source", .null), ("line", .null), ("column", .null)]
        default: [("source", .text(origin.description)), ("line", .null), ("column", .null)]
        }
    }
}
