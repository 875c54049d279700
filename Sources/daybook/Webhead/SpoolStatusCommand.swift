import ArgumentParser
import Forwarding
import LogEngine
import SegmentFormat

extension SpoolCommand {
    struct Status: SpoolJob {
        static let job = JobKind.spoolStatus

        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Tells what waits to be forwarded, and how the storage servers do.",
            discussion: "Works beside a running webhead, which alone knows how the servers do, and writes nothing.")

        @OptionGroup var spool: SpoolData

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = ControlClient(layout: Spool.layout(spool.data), arguments: Daybook.arguments)
            switch try await client.handOver(Console.current) {
            case .ended(.success): return
            case .ended(let status): throw CommandFailure(status, "")
            case .nobody: try tellWithoutWebhead(Console.current)
            }
        }

        func run(on log: EventLog, _ console: Console) async throws {
            guard let forwarding = ForwardingService.current else {
                throw CommandFailure(.unavailable, "nothing is forwarded here")
            }
            try tell(SpoolReport(forwarding.status), console)
        }

        private func tellWithoutWebhead(_ console: Console) throws {
            let options = Spool.options(SpoolBounds(), resolution: nil)
            let (snapshot, notes) = try StoreReader.snapshot(of: spool.data, options: options, environment: .system)
            for note in notes { console.say(note) }
            guard let record = try Spool.record(of: spool.data, .system) else {
                throw CommandFailure(.noInput, "\(spool.data): there is no record of what was sent")
            }
            try tell(SpoolReport(record, snapshot, now: WallClock.now()), console)
        }

        private func tell(_ report: SpoolReport, _ console: Console) throws {
            try console.write(json ? report.json.description + "\n" : report.text)
        }
    }
}

/// What `spool status` tells.
private struct SpoolReport {
    private let waiting: (events: UInt64, bytes: UInt64, milliseconds: UInt64)
    private let storedBytes: UInt64
    private let record: ForwardingRecord
    private let state: String
    private let servers: [ForwardingStatus.Server]

    init(_ status: ForwardingStatus) {
        waiting = (status.waitingEvents, status.waitingBytes, UInt64(status.waitingMilliseconds))
        storedBytes = status.storedBytes
        record = status.record
        servers = status.servers
        state = status.failure ?? (status.isFull ? "full" : status.isDegraded ? "degraded" : "forwarding")
    }

    init(_ record: ForwardingRecord, _ snapshot: LogSnapshot, now: UInt64) {
        let backlog = snapshot.backlog(behind: record.sentThrough)
        let since = record.waitingSince.map { now - min(now, $0) } ?? 0
        waiting = (backlog.events, backlog.bytes, backlog.events > 0 ? since : 0)
        storedBytes = snapshot.storedBytes
        self.record = record
        servers = Forwarder.servers(of: record)
        state = "no webhead runs"
    }

    var text: String {
        let tally = record.tally
        var table = Table(["server", "state", "failures", "may have", "problem"])
        for server in servers {
            table.add([
                server.name.text, server.state.rawValue, server.failures.grouped, server.unknownEvents.grouped,
                server.problem ?? "–",
            ])
        }
        return """
            state       \(state)
            waiting     \(waiting.events.grouped) events, \(waiting.bytes.grouped) bytes, \
            \(decimalText(Double(waiting.milliseconds) / 1_000)) s
            stored      \(storedBytes.grouped) bytes
            delivered   \(tally.delivered.grouped) events
            discarded   \(tally.discarded.grouped) events
            reassigned  \(tally.reassigned.grouped) events
            disputed    \(tally.disputed.grouped) events
            missing     \(tally.missing.grouped) events

            \(table.text)
            """
    }

    var json: JSONValue {
        let tally = record.tally
        return .object([
            ("state", .text(state)), ("waiting_events", .number(waiting.events)),
            ("waiting_bytes", .number(waiting.bytes)), ("waiting_milliseconds", .number(waiting.milliseconds)),
            ("stored_bytes", .number(storedBytes)), ("sent_through", .number(record.sentThrough.value)),
            ("delivered", .number(tally.delivered)), ("discarded", .number(tally.discarded)),
            ("reassigned", .number(tally.reassigned)), ("disputed", .number(tally.disputed)),
            ("missing", .number(tally.missing)), ("servers", .list(servers.map(Self.json))),
        ])
    }

    private static func json(_ server: ForwardingStatus.Server) -> JSONValue {
        .object([
            ("server", .text(server.name.text)), ("state", .text(server.state.rawValue)),
            ("failures", .number(server.failures)), ("unknown_events", .number(server.unknownEvents)),
            ("problem", server.problem.map { .text($0) } ?? .null),
        ])
    }
}
