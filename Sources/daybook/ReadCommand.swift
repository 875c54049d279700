import ArgumentParser
import LogEngine
import SegmentFormat
import WebAPI

struct ReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints the events of a range.",
        discussion: "Works beside a running server, and shows what is durable when it starts.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case ndjson
        case rows
    }

    @OptionGroup var store: DataOptions

    @Option(help: ArgumentHelp("First time, in milliseconds (or seconds) since 1970.", valueName: "ms"))
    var from: Moment?

    @Option(help: ArgumentHelp("Last time, itself included.", valueName: "ms"))
    var to: Moment?

    @Option(help: "time: by floored time, then arrival. arrival: as they came.")
    var order = ScanRequest.Order.time

    @Option(help: ArgumentHelp("Print at most so many events.", valueName: "n"))
    var limit: Int?

    @Option(help: "ndjson: one event a line. rows: a JSON array with ids, as the server answers it.")
    var format = Format.ndjson

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
        guard (from?.milliseconds ?? 0) <= (to?.milliseconds ?? .max) else {
            throw ValidationError("--from must not be after --to.")
        }
    }

    func run() throws {
        let console = Console.current
        let (snapshot, notes) = try StoreReader.snapshot(
            of: store.data, options: LogOptions(), environment: .system)
        for note in notes { console.say(note) }
        let range = (from?.milliseconds ?? 0)...(to?.milliseconds ?? .max)
        let scan = try Scan(snapshot, ScanRequest(range: range, order: order, limit: limit))
        switch format {
        case .ndjson: while let chunk = try scan.next() { try console.write(chunk.bytes) }
        case .rows: try writeRows(scan, snapshot.store, console)
        }
        let summary = scan.summary
        guard summary.isComplete else {
            for found in summary.faults { console.say(found.description) }
            throw CommandFailure(.data, "some events could not be read")
        }
    }

    private func writeRows(_ scan: Scan, _ store: StoreID, _ console: Console) throws {
        var separator = "["
        var row: [UInt8] = []
        while let chunk = try scan.next() {
            try chunk.forEachLine { line, sequence in
                try console.write(separator)
                separator = ",\n"
                let source = EventRow(line, id: EventID(store: store, sequence: sequence))
                if row.count < source.maximumByteCount { row = [UInt8](repeating: 0, count: source.maximumByteCount) }
                try row.withUnsafeMutableBytes { place in
                    guard let base = place.baseAddress else { return }
                    let count = source.write(to: base)
                    try console.write(UnsafeRawBufferPointer(rebasing: place[..<count]))
                }
            }
        }
        try console.write(separator == "[" ? "[]\n" : "]\n")
    }
}

extension ScanRequest.Order: ExpressibleByArgument {}
