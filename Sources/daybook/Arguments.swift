import ArgumentParser
import SegmentFormat

/// `--data DIR`, for every command that works on a directory.
struct DataOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The data directory.", valueName: "dir"))
    var data = "./data"
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

extension Resolution: ExpressibleByArgument {
    /// `10m`, `1h`, `30s`, `1ms`.
    public init?(argument: String) {
        let units: [(name: String, milliseconds: UInt64)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        for unit in units where argument.hasSuffix(unit.name) {
            guard let count = UInt64(argument.dropLast(unit.name.count)) else { continue }
            let (milliseconds, overflows) = count.multipliedReportingOverflow(by: unit.milliseconds)
            if overflows { return nil }
            self.init(milliseconds: milliseconds)
            return
        }
        return nil
    }
}

/// A time as an event has it: milliseconds, or seconds where it is below 10^11.
struct Moment: ExpressibleByArgument, Equatable {
    let milliseconds: UInt64

    init?(argument: String) {
        guard let number = UInt64(argument) else { return nil }
        milliseconds = number < 100_000_000_000 ? number * 1_000 : number
    }
}
