import ArgumentParser
import Glibc
import LogEngine
import SegmentFormat

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Shows what a segment file is made of.",
        discussion: """
            Decodes as much of a broken file as it can, names each fault on standard error, and then ends with code \
            65. Of the segment that is being written it shows what is durable. The JSON is that of tools/read_segment.py.
            """)

    @Argument(help: "The path of a segment file.", completion: .file(extensions: ["lz4", "zst"]))
    var segment: String

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the events in the order in which they lie in the file.")
    var lines = false

    func validate() throws {
        if json, lines { throw ValidationError("--json and --lines cannot be used together.") }
    }

    func run() throws {
        let console = Console.current
        var failure: (any Error)?
        guard access(segment, F_OK) == 0 else {
            throw CommandFailure(.noInput, "\(segment): \(String(cString: strerror(errno)))")
        }
        let dump = try SegmentDump.read(segment, environment: .system) { _, bytes in
            guard lines, failure == nil else { return }
            do { try console.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        if json {
            try console.write(SegmentJSON(dump).value.description + "\n")
        } else if !lines {
            try console.write(SegmentText(dump).text)
        }
        for fault in dump.faults { console.say("\(segment): \(fault)") }
        if !dump.faults.isEmpty { throw CommandFailure(.data, "") }
    }
}
