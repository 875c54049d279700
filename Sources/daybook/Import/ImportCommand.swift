import ArgumentParser
import Glibc
import LogEngine
import SegmentFormat
import UserMetadata

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Moves the data of another program in.", subcommands: [UserMetaDB.self])

    struct UserMetaDB: UserJob {
        static let configuration = CommandConfiguration(
            commandName: "usermetadb", abstract: "Moves the SQLite database of a user-metadata server in.",
            discussion: """
                Looks for the tables of the login log, of devices and of last logins by their names and those of their \
                columns, and tells of which it takes nothing. What is stored is what the calls would store: times \
                floored, addresses made countries or dropped, device ids hashed. All rows are checked before the first is \
                stored; a bad one is named, and nothing is.

                A file is imported once however often this runs or is cut off; one that has changed is another file. Of \
                devices without an entry in the log two are made, at their first and at their last time. \(beside)

                Example:
                  daybook import usermetadb /var/lib/usermetadb.sqlite --dry-run --data /var/lib/daybook-users
                """)
        static let job = JobKind.importing

        @Argument(help: "The path of the database.", completion: .file())
        var file: String

        @OptionGroup var place: UserPlaceOptions

        @Flag(help: "Tell what would be imported, and store nothing.")
        var dryRun = false

        func run() async throws {
            guard let path = realpath(file, nil) else {
                throw CommandFailure(.noInput, "\(file): \(String(cString: strerror(errno)))")
            }
            defer { free(path) }
            // A server has another directory than this command.
            var absolute = self
            absolute.file = String(cString: path)
            let words = ["import", "usermetadb"] + (dryRun ? ["--dry-run"] : [])
            try await absolute.hand(words + ["--", absolute.file])
        }

        func run(on users: UserStore, _ console: Console) async throws {
            let database = try SQLiteFile(file)
            let tables = UserTables(try database.tables())
            for name in tables.unmatched { console.say("nothing is taken of \(name)") }
            guard !tables.parts.isEmpty else {
                throw CommandFailure(.data, "\(file): no table of logins, devices or last logins was found")
            }
            var meter = ImportMeter(console)
            defer { meter.clear() }
            let identity = RunningHash()
            try await UserImport(database, tables.parts).run { batch async throws in
                try batch.read(by: users)
                identity.update(batch.body)
                meter.show("checked", batch.rows)
            }
            var told = ImportTally(tables.parts.map(\.name))
            try await UserImport(database, tables.parts).run { batch async throws in
                let source = SourceEpoch(source: users.source(identity.wide), epoch: UserImport.version)
                let delivery = Delivery.source(source, number: UInt64(batch.number) + 1)
                told.add(batch, try await batch.store(in: users, delivery, isDryRun: dryRun))
                meter.show(dryRun ? "read" : "imported", batch.rows)
                try Task.checkCancellation()
            }
            meter.clear()
            try console.write(told.text(isDryRun: dryRun))
        }
    }
}

/// The progress line of an import.
private struct ImportMeter {
    private var progress: Progress
    private var rows = 0
    private var last = ""

    init(_ console: Console) { progress = Progress(console) }

    mutating func show(_ what: String, _ count: Int) {
        rows = what == last ? rows + count : count
        last = what
        progress.draw("\(what) \(rows.grouped) rows")
    }

    mutating func clear() { progress.clear() }
}

/// What became of the rows of each part.
private struct ImportTally {
    private let names: [String]
    private var counts: [(rows: Int, repeated: Int, discarded: Int)]

    init(_ names: [String]) {
        self.names = names
        counts = names.map { _ in (0, 0, 0) }
    }

    mutating func add(_ batch: UserBatch, _ outcome: UserBatch.Outcome) {
        counts[batch.part].rows += batch.rows
        switch outcome {
        case .stored(let discarded): counts[batch.part].discarded += discarded
        case .known: counts[batch.part].repeated += batch.rows
        }
    }

    func text(isDryRun: Bool) -> String {
        zip(names, counts).map { name, count in
            var text = "\(name): \(count.rows.grouped) rows"
            if count.repeated > 0 { text += ", \(count.repeated.grouped) were stored before" }
            if count.discarded > 0 { text += ", \(count.discarded.grouped) before the horizon discarded" }
            return text + (isDryRun ? " would be imported\n" : "\n")
        }.joined()
    }
}
