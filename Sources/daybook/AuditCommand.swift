import ArgumentParser
import LogEngine
import SegmentFormat

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Lists what was thrown away, when and by which policy.",
        discussion: """
            Prints the records of the stream audit as they are stored, one JSON object a line, oldest first (SPEC.md \
            §15). Works beside a running server.
            """)

    @OptionGroup var store: DataOptions

    func run() throws {
        let console = Console.current
        guard let (snapshot, notes) = try records() else { return }
        for note in notes { console.say(note) }
        let scan = try Scan(snapshot, ScanRequest(order: .arrival))
        while let chunk = try scan.next() { try console.write(chunk.bytes) }
        for fault in scan.summary.faults { console.say(fault.description) }
        if !scan.summary.isComplete { throw CommandFailure(.data, "") }
    }

    /// `nil` where nothing was ever recorded of a store.
    private func records() throws(StoreError) -> (snapshot: LogSnapshot, notes: [String])? {
        var options = LogOptions()
        options.stream = .audit
        do throws(StoreError) {
            return try StoreReader.snapshot(of: store.data, options: options, environment: .system)
        } catch {
            guard error.code == .missing else { throw error }
            _ = try StoreReader.snapshot(of: store.data, options: LogOptions(), environment: .system)
            return nil
        }
    }
}
