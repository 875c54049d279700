import ArgumentParser
import Forwarding

/// Where events are forwarded to, and how.
struct StorageArguments: ParsableArguments {
    @Option(
        name: .customLong("storage"),
        help: ArgumentHelp(
            "A storage server, as http://10.0.0.5:8080; may be given several times. The first that is well gets the events.",
            valueName: "url"),
        transform: { try ServerAddress(url: $0) })
    var servers: [ServerAddress] = []

    @Flag(
        help: """
            Send forms, and take only 201 for success: for storage servers that are not Daybook's. They do not know a \
            batch that comes again, so where an answer is lost its events are stored twice.
            """)
    var storageForms = false

    @Option(help: "Send bodies as lz4, or plain; forms always are.")
    var storageCoding = StorageOptions.Coding.lz4

    @Option(
        help: ArgumentHelp("A file with the token for the storage servers.", valueName: "file"), completion: .file())
    var storageToken: String?

    @Option(
        help: ArgumentHelp("PEM file: the certificate for the storage servers, with --storage-key.", valueName: "file"),
        completion: .file())
    var storageCert: String?

    @Option(help: ArgumentHelp("PEM file: its key.", valueName: "file"), completion: .file())
    var storageKey: String?

    @Option(
        help: ArgumentHelp("PEM file: who vouches for the storage servers.", valueName: "file"), completion: .file())
    var storageCa: String?

    @Option(help: ArgumentHelp("Events of a batch, at most (1 to 10000).", valueName: "n"))
    var batchEvents = ForwardingPolicy().batchEvents

    @Option(help: ArgumentHelp("A batch is sent when its oldest event has waited so long.", valueName: "time"))
    var batchTime = Span(milliseconds: UInt64(ForwardingPolicy().batchMilliseconds))

    func validate() throws {
        if !(1...10_000).contains(batchEvents) { throw ValidationError("--batch-events is a number from 1 to 10000.") }
        if (storageCert == nil) != (storageKey == nil) {
            throw ValidationError("--storage-cert and --storage-key go together.")
        }
        if servers.count > 16 { throw ValidationError("--storage names at most 16 servers.") }
        if Set(servers.map(\.url)).count < servers.count {
            throw ValidationError("--storage names the same server twice.")
        }
    }

    func options(_ bounds: SpoolBounds) throws -> ForwardingService.Options {
        var options = ForwardingService.Options(servers: servers.map { ServerName($0.url) })
        options.bounds = bounds
        options.policy.batchEvents = batchEvents
        options.policy.batchMilliseconds = Int64(batchTime.milliseconds)
        options.storage.dialect = storageForms ? .form : .ndjson
        options.storage.coding = storageCoding
        options.storage.token = try storageToken.map(StorageToken.text)
        options.storage.tls = try ClientTLS(authority: storageCa, certificate: storageCert, key: storageKey)
            .configuration()
        return options
    }
}

extension StorageOptions.Coding: ExpressibleByArgument {}
