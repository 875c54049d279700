import ArgumentParser
import LogEngine
import SegmentFormat

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Reads every byte of a data directory and checks every rule of SPEC.md.",
        discussion: """
            Works beside a running server; writes nothing. Prints a line for each fault, `path: clause at offset`, and \
            ends with code 65 where there is any.
            """)

    @OptionGroup var store: StreamOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let console = Console.current
        var isSound = true
        try store.onEach(console, json: json) { options in
            if !(try verify(options, console)) { isSound = false }
        }
        if !isSound { throw CommandFailure(.data, "") }
    }

    /// Whether the stream is as it should be.
    private func verify(_ options: LogOptions, _ console: Console) throws -> Bool {
        var progress = Progress(console)
        defer { progress.clear() }
        let report = try StoreReader.verify(store.data, options: options, environment: .system) { done in
            progress.draw("segment \(done.segments) of \(done.segmentsInAll), \(done.bytes.grouped) bytes")
        }
        progress.clear()
        for note in report.notes { console.say(note) }
        if json {
            try console.write(Self.json(report).line(of: options.stream))
        } else {
            for fault in report.faults { try console.write(fault.description + "\n") }
        }
        console.say(
            "\(report.segments.grouped) segments, \(report.blocks.grouped) blocks, \(report.lines.grouped) events, "
                + "\(report.bytes.grouped) bytes: \(report.isSound ? "sound" : "\(report.faults.count) faults")")
        return report.isSound
    }

    private static func json(_ report: VerifyReport) -> JSONValue {
        .object([
            ("segments", .number(report.segments)), ("blocks", .number(report.blocks)),
            ("events", .number(report.lines)),
            ("bytes", .number(report.bytes)), ("sound", .bool(report.isSound)),
            (
                "faults",
                .list(
                    report.faults.map { found in
                        .object([
                            ("path", .text(found.path)), ("clause", .text(found.fault.clause.rawValue)),
                            ("name", .text("\(found.fault.clause)")), ("offset", .number(found.fault.offset)),
                        ])
                    })
            ),
            ("notes", .list(report.notes.map { .text($0) })),
        ])
    }
}
