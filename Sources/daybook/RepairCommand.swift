import ArgumentParser
import LogEngine

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Makes new manifests for a store that lost both.",
        discussion: """
            Takes the lock, reads every segment, and writes manifests from what the segments say of themselves. \
            Refuses a store with a valid manifest. The memory of deliveries is lost with the manifests: a batch that is \
            repeated afterwards is stored again.
            """)

    @OptionGroup var store: DataOptions

    func run() throws {
        let console = Console.current
        let report = try StoreReader.repair(store.data, options: LogOptions(), environment: .system)
        for note in report.notes { console.say(note) }
        console.say("\(report.segments.grouped) segments, \(report.lines.grouped) events: new manifests are written")
    }
}
