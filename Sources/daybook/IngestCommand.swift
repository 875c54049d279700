import ArgumentParser
import Interactions
import LogEngine

struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Stores the events of a file.",
        discussion: """
            Into a data directory that no server has open, or into a server. The file is stored in batches, each whole \
            or not at all; into a server several at a time. The first bad line or row ends it with code 65 and is named \
            by its number, its byte offset and the reason; with --on-error skip it is left out, and the rest is stored.

            A CouchDB dump is the answer to _all_docs?include_docs=true or to a view, as it came: of each row the \
            document, or else the value if it has a timestamp. Design documents, deleted ones and those without a \
            timestamp are left out and counted. A dump in a file is read twice, first to check it and to recognise it: \
            what of it was stored before is not stored again, so a run that was cut off is simply repeated. --once does \
            the same for NDJSON. A directory remembers 10,000 inputs, the latest, without limit of time; a server remembers \
            batches for 24 hours.

            Examples:
              daybook ingest events.ndjson
              zcat old/*.gz | daybook ingest - --url http://127.0.0.1:8080
              curl 'http://couch:5984/kpi/_all_docs?include_docs=true' > dump.json
              daybook ingest dump.json --format couchdb --data /var/lib/daybook
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case ndjson
        case couchdb

        /// Part of what a batch is called; never another.
        var number: UInt64 {
            switch self {
            case .ndjson: 1
            case .couchdb: 2
            }
        }
    }

    @Argument(help: "The file, or - for standard input.", completion: .file())
    var file: String

    @OptionGroup var store: StoreOptions

    @Option(help: "ndjson: one event a line. couchdb: rows with documents.")
    var format = Format.ndjson

    @Flag(help: "Store nothing that was stored from the same file before. A CouchDB dump is always treated so.")
    var once = false

    @Option(help: "What a bad line or row does: stop, or skip (it is left out and told of).")
    var onError = RefusalPolicy.stop

    @Flag(help: "Send the events to the server as LZ4.")
    var compress = false

    func validate() throws {
        if compress, store.url == nil { throw ValidationError("--compress is for --url.") }
    }

    func run() async throws {
        let input = try InputFile(file)
        if once, !input.isRegular {
            throw CommandFailure(.usage, "\(input.name): --once reads its input twice, so it must be a file")
        }
        switch format {
        case .ndjson: try await ingest(LineReader(input))
        case .couchdb: try await ingest(DumpReader(input))
        }
    }

    private func ingest(_ reader: some BatchReader) async throws {
        var reader = reader
        let name = reader.input.name
        var tally = IngestTally(Console.current)
        let result: Result<InputIdentity?, any Error>
        do {
            let identity = try identity(of: reader)
            try await store(&reader, &tally, identity)
            result = .success(identity)
        } catch {
            result = .failure(error)
        }
        tally.finish()
        do {
            if let identity = try result.get(), reader.input.digest != identity.hash {
                throw CommandFailure(.data, "\(name): it was changed while it was read")
            }
        } catch let refused as RefusedInput {
            throw CommandFailure(.data, "\(name): \(refused.description)")
        }
        if tally.skipped > 0 {
            let what = format == .ndjson ? "lines" : "rows"
            throw CommandFailure(.data, "\(name): \(tally.skipped.grouped) \(what) were left out")
        }
    }

    private func identity(of reader: some BatchReader) throws -> InputIdentity? {
        guard once || format == .couchdb, reader.input.isRegular else { return nil }
        return try InputIdentity.read(reader, format, onError)
    }

    private func store(
        _ reader: inout some BatchReader, _ tally: inout IngestTally, _ identity: InputIdentity?
    ) async throws {
        if let server = store.server {
            let target = ServerTarget(
                server: server, onError: onError, identity: identity ?? .random(format), compresses: compress)
            return try await target.store(&reader, &tally)
        }
        let log = try EventLog.open(store.directory, options: LogOptions(), environment: .system)
        log.tellFindings(Console.current)
        let result: Result<Void, any Error>
        do {
            let target = DirectoryTarget(log: log, onError: onError, identity: identity)
            result = .success(try await target.store(&reader, &tally))
        } catch {
            result = .failure(error)
        }
        try await log.close()
        try result.get()
    }
}

extension RefusalPolicy: ExpressibleByArgument {}
