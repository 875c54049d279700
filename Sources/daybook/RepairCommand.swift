import ArgumentParser
import LogEngine

struct RepairCommand: StreamJob {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Mends what daybook verify finds, and says what is lost.",
        discussion: """
            A store that lost both manifests gets new ones, made from what the segments say of themselves; the memory of \
            deliveries is lost with them: a batch that is repeated afterwards is stored again. Then every sealed segment \
            is verified. What is good of a damaged one goes into new segments, block by block and without guessing; its \
            file is kept in damaged/ until a purge passes its events. Ends with code 65 where events are lost.

            \(Self.beside)
            """)
    static let job = JobKind.repair
    static let mends = true

    @OptionGroup var store: StreamOptions

    func run() async throws {
        for options in store.readings { try makeManifests(options, Console.current) }
        try await JobRunner(directory: store.place, arguments: Daybook.arguments, mends: Self.mends).run(self)
    }

    /// Where neither is valid; while a server has the store, one is.
    private func makeManifests(_ options: LogOptions, _ console: Console) throws(StoreError) {
        do throws(StoreError) {
            let report = try StoreReader.repair(store.data, options: options, environment: .system)
            for note in report.notes { console.say(note) }
            console.say(
                "\(report.segments.grouped) segments, \(report.lines.grouped) events: new manifests are written")
        } catch {
            guard error.code == .mismatch || error.code == .locked else { throw error }
        }
    }

    func run(on log: EventLog, _ console: Console) async throws {
        let meter = VerifyMeter(console)
        defer { meter.clear() }
        let report = try await log.mend { meter.show($0) }
        meter.clear()
        for loss in report.losses { try console.write(Self.text(loss)) }
        try console.write(
            "\(report.segments.grouped) segments verified, "
                + (report.losses.isEmpty ? "nothing to mend\n" : "\(report.losses.count.grouped) mended\n"))
        if report.losses.contains(where: { $0.lost != 0 }) { throw CommandFailure(.data, "") }
    }

    private static func text(_ loss: MendReport.Loss) -> String {
        var lines = loss.faults.map(\.description)
        let lost = loss.lost.map { $0.grouped } ?? "an unknown number of"
        var text = "segment \(loss.segment.value): \(lost) events lost, \(loss.kept.grouped) kept; it held "
        text += "sequences \(loss.sequences.lowerBound) to \(loss.sequences.upperBound - 1)"
        if let first = loss.firstBucket, let last = loss.lastBucket {
            text += ", \(timeText(first.milliseconds)) to \(timeText(last.milliseconds))"
        }
        lines.append(text)
        if let aside = loss.aside { lines.append("the damaged file is \(aside)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
