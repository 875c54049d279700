import ArgumentParser
import LogEngine
import SegmentFormat

struct MaintainCommand: StreamJob {
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

    @OptionGroup var store: StreamOptions
    @OptionGroup var compaction: CompactionArguments

    @Option(help: ArgumentHelp("Verify about so many bytes of segments, chosen at random.", valueName: "size"))
    var sample = ByteSize(256 << 20)

    func run(on log: EventLog, _ console: Console) async throws {
        try await log.checkClock()
        var steps = Steps(console)
        for step in Step.allCases { try await steps.run { try await run(step, on: log, console) } }
        try await log.record(.maintain, hasSucceeded: steps.first == nil)
        try steps.end()
    }

    private enum Step: CaseIterable {
        case checkpoint, seal, compact, purge, verify
    }

    private func run(_ step: Step, on log: EventLog, _ console: Console) async throws {
        let board = JobBoard.current
        switch step {
        case .checkpoint: try await log.checkpoint()
        case .seal: try await board.run(try SealCommand.parse([]), on: log, console)
        case .compact: try await board.run(try CompactCommand.parse(compaction.arguments), on: log, console)
        case .purge: try await board.run(try PurgeCommand.parse([]), on: log, console)
        case .verify: try await verify(log, console)
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
