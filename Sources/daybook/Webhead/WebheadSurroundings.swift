import Forwarding
import LogEngine
import WebAPI

extension WebheadSurroundings {
    static func of(_ forwarding: ForwardingService, _ environment: Environment) -> WebheadSurroundings {
        WebheadSurroundings(
            now: environment.now, random: environment.random, isFull: { forwarding.isFull },
            health: { forwarding.health }, metrics: { forwarding.metrics })
    }
}

extension ForwardingService {
    /// Storage servers that do not answer are no reason to send browsers elsewhere: events are taken.
    fileprivate var health: WebheadHealth {
        if let failure = logFailure { return .failed("not writing any more: \(failure)") }
        if isFull { return .failed("the spool is full") }
        let status = status
        if let failure = status.failure { return .degraded(failure) }
        let problems = status.servers.compactMap { server in server.problem.map { "\(server.name): \($0)" } }
        return status.isDegraded ? .degraded(problems.joined(separator: "; ")) : .well
    }

    /// In the text format of Prometheus.
    fileprivate var metrics: String {
        let status = status
        let tally = status.record.tally
        var text = ""
        func add(_ name: String, _ kind: String, _ value: some CustomStringConvertible) {
            text += "# TYPE daybook_spool_\(name) \(kind)\ndaybook_spool_\(name) \(value)\n"
        }
        add("waiting_events", "gauge", status.waitingEvents)
        add("waiting_bytes", "gauge", status.waitingBytes)
        add("waiting_seconds", "gauge", decimalText(Double(status.waitingMilliseconds) / 1_000))
        add("stored_bytes", "gauge", status.storedBytes)
        add("full", "gauge", status.isFull ? 1 : 0)
        add("delivered_events_total", "counter", tally.delivered)
        add("discarded_events_total", "counter", tally.discarded)
        add("reassigned_events_total", "counter", tally.reassigned)
        add("disputed_events_total", "counter", tally.disputed)
        add("missing_events_total", "counter", tally.missing)
        text += "# TYPE daybook_storage_up gauge\n"
        for server in status.servers where server.state != .removed {
            text += "daybook_storage_up{server=\"\(server.name)\"} \(server.failures == 0 ? 1 : 0)\n"
        }
        text += "# TYPE daybook_storage_unknown_events gauge\n"
        for server in status.servers {
            text += "daybook_storage_unknown_events{server=\"\(server.name)\"} \(server.unknownEvents)\n"
        }
        return text
    }
}
