import ArgumentParser
import LogEngine
import SegmentFormat

struct MaintainCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintain", abstract: "Seals, compacts, purges and verifies a sample: the one line for a crontab.",
        discussion: """
            Does what daybook seal, compact, purge and verify do, in this order and with the store's own policies. \
            A step that fails does not keep the later ones from being done, unless the disk failed or the clock is not \
            believed; the exit code is that of the first that did.

            Example:
              17 3 * * *  daybook  daybook maintain --data /var/lib/daybook
            """)
    static let job = JobKind.maintain

    @OptionGroup var store: DataOptions
    @OptionGroup var compaction: CompactionArguments

    @Option(help: ArgumentHelp("Verify about so many bytes of segments, chosen at random.", valueName: "size"))
    var sample = ByteSize(256 << 20)

    func run(on log: EventLog, _ console: Console) async throws {
        try await log.checkClock()
        var failures: [any Error] = []
        func step(_ body: () async throws -> Void) async throws {
            do {
                try await body()
            } catch let failure as CommandFailure {
                if !failure.message.isEmpty { console.say("daybook: \(failure.message)") }
                failures.append(CommandFailure(failure.status, ""))
            } catch let error as StoreError where Self.isOfOneStep(error) {
                console.say("daybook: \(error)")
                failures.append(CommandFailure(CommandFailure(of: error)?.status ?? .inputOutput, ""))
            }
        }
        try await step { try await SealCommand.seal(log, console) }
        try await step {
            let report = try await CompactCommand.compact(log, compaction.options, console)
            try console.write(report.text + "\n")
            try CompactCommand.fail(report)
        }
        try await step {
            let report = try await PurgeCommand.purge(log, PurgeOptions(), console)
            try console.write(PurgeText(report, isDryRun: false).text)
            try PurgeCommand.fail(report)
        }
        try await step { try await verify(log, console) }
        if let first = failures.first { throw first }
    }

    private static func isOfOneStep(_ error: StoreError) -> Bool {
        switch error.code {
        case .noSpace, .corrupt: true
        default: false
        }
    }

    private func verify(_ log: EventLog, _ console: Console) async throws {
        let report = try await log.verifySample(bytes: UInt64(sample.bytes))
        for fault in report.faults { try console.write(fault.description + "\n") }
        try console.write(
            "verified \(report.segments.grouped) segments, \(sizeText(report.bytes)): "
                + (report.isSound ? "sound\n" : "\(report.faults.count) faults\n"))
        if !report.isSound { throw CommandFailure(.data, "") }
    }
}
