import ArgumentParser
import LogEngine
import SegmentFormat
import Settings
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves a data directory over HTTP.",
        discussion: """
            Makes the directory if need be. Prints one line for each address on standard error when requests can come. \
            SIGTERM and SIGINT let what is in flight finish, close the store and end with code 0. What daybook seal, \
            policy and hold do with the same directory meanwhile is done here.

            With --tls-cert and --tls-key it speaks TLS 1.2 and 1.3 alone, with HTTP/1.1 and HTTP/2. With --tls-ca clients \
            must show a certificate that one of those vouches for. The files are loaded again when they change, and on \
            SIGHUP; what cannot be used leaves the old ones serving. The key must be its owner's alone.

            A configuration file says the same and more, such as several addresses, and when to run maintain; a flag is \
            stronger than the file. daybook config show tells what holds.

            Examples:
              daybook serve --data /var/lib/daybook --resolution 1h
              daybook serve --tls-cert my.pem --tls-key my.key --tls-ca clients.pem --addr 0.0.0.0:8443
              daybook serve --config /etc/daybook.yml
            """)

    @OptionGroup var configured: ConfigurationOptions

    @Option(
        name: .long, help: ArgumentHelp("The data directory (default: ./data).", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(
        name: .customLong("addr"),
        help: ArgumentHelp(
            "The address, as 127.0.0.1:8080 or [::1]:8080; port 0 for any. One that other machines can reach wants a "
                + "configuration that says who may do what, or --insecure (default: 127.0.0.1:8080).",
            valueName: "host:port"))
    var address: Address?

    @Flag(name: .customLong("insecure"), help: "Let everybody in who can reach the address.")
    var isInsecure = false

    @Option(
        help: ArgumentHelp(
            "Width of the buckets that timestamps are floored to, as 10m, 1h or 1ms. Fixed when the store is made; "
                + "10m by default."))
    var resolution: Resolution?

    @Option(
        help: ArgumentHelp(
            "Seal a segment at so many raw bytes, from 64KiB to 1TiB (default: \(Self.standard.sealBytes.sizeText)).",
            valueName: "size"))
    var sealBytes: ByteSize?

    @Option(
        help: ArgumentHelp(
            "Seal a segment at this age, as 10m or 1h (default: \(durationText(Self.standard.sealMilliseconds))).",
            valueName: "time"))
    var sealAfter: Span?

    @Option(
        help: ArgumentHelp(
            "Hold so much of the file system in reserve, from 64KiB to 1TiB, for what must be written when it is "
                + "full. Events that would leave less than 16MiB free beside it are refused (default: "
                + "\(Self.standard.reserveBytes.sizeText)).",
            valueName: "size"))
    var reserve: ByteSize?

    @Option(
        help: ArgumentHelp(
            "The key of user metadata: 32 bytes that nobody else may read, made with the store (default: beside its "
                + "data directory).",
            valueName: "file"), completion: .file())
    var keyFile: String?

    @Option(help: ArgumentHelp("Threads that serve connections; one a core by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var tls: ListenerTLSOptions

    private static let standard = Configuration.Defaults.ours

    private var flags: [String: String] {
        let texts = [
            ("data", data), ("addr", address?.description), ("insecure", isInsecure ? "true" : nil),
            ("resolution", resolution.map { durationText($0.milliseconds) }),
            ("seal-bytes", sealBytes?.bytes.sizeText), ("seal-after", sealAfter.map { durationText($0.milliseconds) }),
            ("reserve", reserve?.bytes.sizeText), ("threads", threads.map { String($0) }),
            ("key-file", keyFile),
        ]
        return Dictionary(
            uniqueKeysWithValues: (texts + tls.flags).compactMap { name, text in text.map { (name, $0) } })
    }

    func run() async throws {
        let console = Console.current
        let configuration = try configured.load(flags: flags, telling: console)
        // From here on SIGHUP is a wish to reload, never the end.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        try await ConfiguredServer(configuration, hangups, StopSignals(), console).run()
    }
}

extension Int {
    /// Bytes, as they are typed.
    fileprivate var sizeText: String { Quantity.text(bytes: self) }
}
