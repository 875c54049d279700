import ArgumentParser
import SegmentFormat
import Settings

/// `--data DIR`, for every command that works on a directory.
struct DataOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
    var data = "./data"
}

/// `--data DIR` or `--url URL`, for every command that works on either.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data directory (default: ./data).", valueName: "dir"), completion: .directory)
    var data: String?

    @Option(
        help: ArgumentHelp("A server instead of a directory, as http://127.0.0.1:8080.", valueName: "url"),
        transform: ServerAddress.init(url:))
    var url: ServerAddress?

    @OptionGroup var tls: ClientTLSOptions

    func validate() throws {
        if data != nil, url != nil { throw ValidationError("--data and --url cannot be used together.") }
        if tls.files != ClientTLS(), url?.isSecure != true {
            throw ValidationError("--ca, --cert and --key are for --url https://….")
        }
    }

    /// `nil`: the directory.
    var server: ServerAddress? {
        var server = url
        server?.tls = tls.files
        return server
    }

    var directory: String { data ?? "./data" }
}

extension Address: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// A stretch of time of at most 100 years: `1ms`, `30s`, `10m`, `1h`, `90d`, `1w`.
struct Span: ExpressibleByArgument, Equatable {
    let milliseconds: UInt64

    private static let longest: UInt64 = 36_525 * 86_400_000

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        guard let milliseconds = Quantity.milliseconds(argument), (1...Self.longest).contains(milliseconds) else {
            return nil
        }
        self.init(milliseconds: milliseconds)
    }

    var defaultValueDescription: String { durationText(milliseconds) }
}

extension Resolution: ExpressibleByArgument {
    /// As `Span`.
    public init?(argument: String) {
        guard let span = Span(argument: argument) else { return nil }
        self.init(milliseconds: span.milliseconds)
    }
}

/// A size from 64 KiB to 1 PiB: `65536`, `256MiB`, `1GiB`.
struct ByteSize: ExpressibleByArgument, Equatable {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        guard let bytes = Quantity.bytes(argument), (1 << 16...1 << 50).contains(bytes) else { return nil }
        self.init(bytes)
    }

    /// In the largest unit that gives a whole number, as it is typed.
    var defaultValueDescription: String { Quantity.text(bytes: bytes) }
}

/// A limit of a policy; `none` for no limit.
enum Limit<Value: ExpressibleByArgument>: ExpressibleByArgument {
    case limited(Value)
    case unlimited

    init?(argument: String) {
        if argument == "none" {
            self = .unlimited
        } else if let value = Value(argument: argument) {
            self = .limited(value)
        } else {
            return nil
        }
    }

    var value: Value? { if case .limited(let value) = self { value } else { nil } }
}
