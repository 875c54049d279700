import ArgumentParser
import Glibc
import LogEngine
import SegmentFormat
import UserMetadata

/// `--data DIR` and which of its streams, for every command that works on streams.
struct StreamOptions: ParsableArguments {
    @OptionGroup var directory: DataOptions

    @Option(
        help: ArgumentHelp(
            "The stream, where there are several (default: all of them, one after the other).", valueName: "name"))
    var stream: StreamChoice?

    @OptionGroup var key: KeyOptions

    var data: String { directory.data }

    /// Those that are meant: the only one of the directory, or both of user metadata.
    var streams: [StreamName] { stream.map { [$0.name] } ?? DataStreams.of(data) }

    /// Where a job finds them, or their server. A spool is its webhead's.
    var place: JobDirectory {
        streams.contains(.logins) || streams.contains(.lastLogins) ? .users(users) : .stream(data, .interactions)
    }

    var users: UserDirectory { UserDirectory(data: data, keyFile: key.path) }

    /// How each is read without its lock. Without the key it is read as far as that goes.
    var readings: [LogOptions] {
        let key = users.isThere ? users.keyIfThere : nil
        return streams.map { stream in
            var options = LogOptions()
            options.stream = stream
            options.keys = key?.streamKeys()
            return options
        }
    }
}

extension StreamOptions {
    /// For commands that look at each stream without its lock; for people, each is named where there are several.
    func onEach(_ console: Console, json: Bool, _ body: (LogOptions) throws -> Void) throws {
        let readings = readings
        for options in readings {
            if readings.count > 1, !json { try console.write("\(options.stream):\n") }
            try body(options)
        }
    }
}

/// `--key-file`, for every command that may open user metadata.
struct KeyOptions: ParsableArguments {
    @Option(
        name: .customLong("key-file"),
        help: ArgumentHelp(
            "The key of user metadata (default: $\(Self.variable), else beside the data directory).", valueName: "file"),
        completion: .file())
    var file: String?

    private static let variable = "DAYBOOK_KEY_FILE"

    /// `nil`: beside the data directory.
    var path: String? { file ?? ProcessEnvironment.variables[Self.variable] }
}

/// The streams that a command line may name.
enum StreamChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
    case interactions
    case logins
    case lastLogins = "last-logins"

    var name: StreamName {
        switch self {
        case .interactions: .interactions
        case .logins: .logins
        case .lastLogins: .lastLogins
        }
    }
}

/// What a data directory is of.
enum DataStreams {
    /// Interactions, where nothing else is there.
    static func of(_ data: String) -> [StreamName] {
        let isThere = { (stream: StreamName) in access("\(data)/\(stream)", F_OK) == 0 }
        if isThere(.interactions) { return [.interactions] }
        if isThere(.logins) { return [.logins, .lastLogins] }
        return isThere(.spool) ? [.spool] : [.interactions]
    }
}
