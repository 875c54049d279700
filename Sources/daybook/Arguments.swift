import ArgumentParser
import SegmentFormat

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

/// `HOST:PORT`, where an IPv6 address stands in brackets.
struct Address: ExpressibleByArgument, Equatable, Sendable {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        var host = argument[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    var defaultValueDescription: String { description }
    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A stretch of time of at most 100 years: `1ms`, `30s`, `10m`, `1h`, `90d`, `1w`.
struct Span: ExpressibleByArgument, Equatable {
    let milliseconds: UInt64

    private static let longest: UInt64 = 36_525 * 86_400_000

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        guard case .ago(let milliseconds) = try? TimeArgument(argument), argument != "now",
            (1...Self.longest).contains(milliseconds)
        else { return nil }
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

    private static let units: [(name: String, bytes: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50), ("", 1),
    ]

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        guard let unit = Self.units.first(where: { argument.hasSuffix($0.name) }),
            let count = Int(argument.dropLast(unit.name.count))
        else { return nil }
        let (bytes, overflows) = count.multipliedReportingOverflow(by: unit.bytes)
        guard !overflows, (1 << 16...1 << 50).contains(bytes) else { return nil }
        self.init(bytes)
    }

    /// In the largest unit that gives a whole number, as it is typed.
    var defaultValueDescription: String {
        let unit = Self.units.last { $0.bytes > 1 && bytes % $0.bytes == 0 } ?? ("", 1)
        return "\(bytes / unit.bytes)\(unit.name)"
    }
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
