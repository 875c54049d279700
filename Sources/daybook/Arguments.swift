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

    func validate() throws {
        if data != nil, url != nil { throw ValidationError("--data and --url cannot be used together.") }
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

/// A stretch of time: `1ms`, `30s`, `10m`, `1h`.
struct Span: ExpressibleByArgument, Equatable {
    let milliseconds: UInt64

    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000),
    ]

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        for unit in Self.units where argument.hasSuffix(unit.name) {
            guard let count = UInt64(argument.dropLast(unit.name.count)) else { continue }
            let (milliseconds, overflows) = count.multipliedReportingOverflow(by: unit.milliseconds)
            guard !overflows, count > 0 else { return nil }
            self.init(milliseconds: milliseconds)
            return
        }
        return nil
    }

    var defaultValueDescription: String {
        let unit = Self.units.last { milliseconds % $0.milliseconds == 0 } ?? Self.units[0]
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

extension Resolution: ExpressibleByArgument {
    /// As `Span`.
    public init?(argument: String) {
        guard let span = Span(argument: argument) else { return nil }
        self.init(milliseconds: span.milliseconds)
    }
}

/// A size from 64 KiB to 1 TiB: `65536`, `256MiB`, `1GiB`.
struct ByteSize: ExpressibleByArgument, Equatable {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let units: [(name: String, bytes: Int)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)]
        guard let unit = units.first(where: { argument.hasSuffix($0.name) }),
            let count = Int(argument.dropLast(unit.name.count))
        else { return nil }
        let (bytes, overflows) = count.multipliedReportingOverflow(by: unit.bytes)
        guard !overflows, (1 << 16...1 << 40).contains(bytes) else { return nil }
        self.init(bytes)
    }

    var defaultValueDescription: String { "\(bytes >> 20)MiB" }
}
