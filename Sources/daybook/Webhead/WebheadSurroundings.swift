import Forwarding
import LogEngine
import WebAPI

extension WebheadSurroundings {
    static func of(_ forwarding: ForwardingService, _ environment: Environment) -> WebheadSurroundings {
        WebheadSurroundings(
            now: environment.now, random: environment.random, isFull: { forwarding.isFull },
            health: { forwarding.health }, figures: { forwarding.figures })
    }
}

extension ForwardingService {
    /// Storage servers that do not answer are no reason to send browsers elsewhere: events are taken.
    fileprivate var health: WebheadHealth {
        if isFull { return .full }
        let status = status
        if let failure = status.failure { return .degraded(failure) }
        let problems = status.servers.compactMap { server in server.problem.map { "\(server.name): \($0)" } }
        return status.isDegraded ? .degraded(problems.joined(separator: "; ")) : .well
    }

    fileprivate var figures: SpoolFigures {
        let status = status
        let tally = status.record.tally
        var figures = SpoolFigures()
        figures.waitingEvents = status.waitingEvents
        figures.waitingBytes = status.waitingBytes
        figures.waitingMilliseconds = status.waitingMilliseconds
        figures.isFull = status.isFull
        figures.forwarded = [
            "delivered": tally.delivered, "discarded": tally.discarded, "reassigned": tally.reassigned,
            "disputed": tally.disputed, "missing": tally.missing,
        ]
        figures.servers = status.servers.map { server in
            SpoolFigures.Server(
                name: server.name.text, isUp: server.failures == 0 && server.state != .removed,
                unknownEvents: server.unknownEvents)
        }
        return figures
    }
}
