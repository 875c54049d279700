import ArgumentParser
import LogEngine
import SegmentFormat

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Lists what was thrown away, who read what, and who was refused.",
        discussion: """
            Prints the records of the stream audit, oldest first; with --json as they are stored, one JSON object a line \
            (SPEC.md §15 and §20). Works beside a running server, whose reads and refusals are recorded some seconds \
            later, the repeated ones when their ten minutes are over.
            """)

    @OptionGroup var store: DataOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let console = Console.current
        guard let (snapshot, notes) = try records() else { return }
        for note in notes { console.say(note) }
        let scan = try Scan(snapshot, ScanRequest(order: .arrival))
        while let chunk = try scan.next() {
            if json { try console.write(chunk.bytes) } else { try Self.tell(chunk.bytes, console) }
        }
        for fault in scan.summary.faults { console.say(fault.description) }
        if !scan.summary.isComplete { throw CommandFailure(.data, "") }
    }

    private static func tell(_ lines: UnsafeRawBufferPointer, _ console: Console) throws {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            try console.write((AuditLine(line)?.text ?? String(decoding: line, as: UTF8.self)) + "\n")
        }
    }

    /// `nil` where nothing was ever recorded of a store.
    private func records() throws(StoreError) -> (snapshot: LogSnapshot, notes: [String])? {
        var options = LogOptions()
        options.stream = .audit
        do throws(StoreError) {
            return try StoreReader.snapshot(of: store.data, options: options, environment: .system)
        } catch {
            guard error.code == .missing else { throw error }
            if let stream = DataStreams.of(store.data).first { options.stream = stream }
            _ = try StoreReader.snapshot(of: store.data, options: options, environment: .system)
            return nil
        }
    }
}
