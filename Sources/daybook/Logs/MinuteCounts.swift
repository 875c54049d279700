import Logging
import WebAPI

/// Tells each minute how many requests and events there were, if there were any.
struct MinuteCounts: Sendable {
    static let members = ["answered", "refused", "failed", "events_in", "events_out", "dropped"]
    private static let interval = Duration.seconds(60)

    let metrics: Metrics
    let logger: Logger

    /// Until it is cancelled.
    func run() async {
        var told = metrics.totals
        while true {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            tell(since: &told)
        }
    }

    /// - Parameter told: what was known the last time.
    func tell(since told: inout Metrics.Totals) {
        let totals = metrics.totals
        defer { told = totals }
        guard totals != told else { return }
        let counts = [
            totals.answered - told.answered, totals.refused - told.refused, totals.failed - told.failed,
            totals.eventsIn - told.eventsIn, totals.eventsOut - told.eventsOut, totals.dropped - told.dropped,
        ]
        let metadata = Dictionary(
            uniqueKeysWithValues: zip(Self.members, counts.map { Logger.Metadata.Value.stringConvertible($0) }))
        logger.notice("requests of the last minute", metadata: metadata)
    }
}
