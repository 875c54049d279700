import ArgumentParser
import LogEngine
import Settings
import UserMetadata

/// A job on user metadata as a whole.
protocol UserJob: JobCommand {
    var place: UserPlaceOptions { get }

    func run(on users: UserStore, _ console: Console) async throws
}

extension UserJob {
    func run() async throws { try await hand(Daybook.arguments) }

    /// Runs it, in this process or in the server.
    func hand(_ arguments: [String]) async throws {
        let directory = try place.directory(Console.current)
        try await JobRunner(directory: .users(directory), arguments: arguments).run(self)
    }

    func run(in place: JobPlace, _ console: Console) async throws {
        guard let users = place.users else { throw CommandFailure(.noInput, "there is no user metadata here") }
        try await place.streams[0].board.run(Self.job) { try await run(on: users, console) }
    }
}

/// A question, of which many may be asked at once.
protocol UserQuestionJob: UserJob {
    var json: Bool { get }

    func ask(_ users: UserStore, _ console: Console) throws
}

extension UserQuestionJob {
    static var job: JobKind { .users }

    func run(in place: JobPlace, _ console: Console) async throws {
        guard let users = place.users else { throw CommandFailure(.noInput, "there is no user metadata here") }
        try await run(on: users, console)
    }

    func run(on users: UserStore, _ console: Console) async throws { try ask(users, console) }
}

/// `--data DIR` or `--config FILE`, for every command that works on user metadata.
struct UserPlaceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The data directory (default: that of the configuration, else ./data).", valueName: "dir"),
        completion: .directory)
    var data: String?

    @OptionGroup var configured: ConfigurationOptions
    @OptionGroup var key: KeyOptions

    /// - Parameter console: hears what the configuration has to be told.
    func directory(_ console: Console) throws -> UserDirectory {
        if let data, configured.file == nil { return UserDirectory(data: data, keyFile: key.path) }
        let configuration = try configured.load(telling: console)
        let directories = configuration.userDirectories
        guard data != nil || directories.count < 2 else {
            throw CommandFailure(.usage, "there are several directories of user metadata; --data says which")
        }
        if let data = data ?? directories.first ?? (configuration.file == nil ? "./data" : nil) {
            return UserDirectory(
                data: data, keyFile: key.path ?? configuration.users.keyFile,
                countryDatabase: configuration.users.countryDatabase)
        }
        throw CommandFailure(.configuration, "\(configuration.file ?? ""): nothing serves user metadata")
    }
}

/// `NAME`, or `-` for a line of standard input: what is in a command line others can see.
enum UserName {
    /// Fails where nothing comes.
    static func read(_ argument: String) throws -> String {
        guard argument == "-" else { return argument }
        let input = try InputFile("-")
        var bytes: [UInt8] = []
        while bytes.count <= UserBounds.username.upperBound, !bytes.contains(UInt8(ascii: "\n")) {
            guard try input.read(onto: &bytes) else { break }
        }
        let name = bytes.prefix { $0 != UInt8(ascii: "\n") }
        guard let text = String(validating: name, as: UTF8.self) else {
            throw CommandFailure(.data, "standard input: a name is UTF-8")
        }
        return text
    }

}

/// What a command asks, as a body of the calls, so that it is checked as these are.
struct AskedBody {
    private let bytes: [UInt8]

    init(_ members: [(name: String, value: JSONValue)]) { bytes = Array(JSONValue.object(members).description.utf8) }

    func read<Question>(
        _ question: (UnsafeRawBufferPointer) throws(BodyFault) -> Question
    ) throws(CommandFailure) -> Question {
        do throws(BodyFault) {
            return try bytes.withUnsafeBytes { bytes in
                Result { () throws(BodyFault) in try question(bytes) }
            }.get()
        } catch { throw CommandFailure(.usage, error.description) }
    }
}
