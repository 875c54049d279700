import CoreMetrics
import LogEngine
import NIOCore
import UserMetadata

/// The numbers of a process that serves a log: all its listeners count here.
public final class Metrics: Sendable {
    /// What became of the events that clients sent.
    public let counters: Counters
    let requests: RequestMetrics
    /// Of a webhead alone.
    let webhead: WebheadMetrics?
    private let registry: MetricRegistry
    private let streams: [StreamMetrics]
    private let users: UserMetrics?

    /// Has the log tell of its commits from now on.
    ///
    /// - Parameter forwarding: how it does, where the log is the spool of a webhead.
    public convenience init(of log: EventLog, forwarding: (@Sendable () -> SpoolFigures)? = nil) {
        self.init(of: [log], forwarding: forwarding, users: nil)
    }

    /// Of both streams, and of the views.
    public convenience init(of users: UserStore) {
        self.init(of: [users.logins, users.lastLogins], forwarding: nil, users: users)
    }

    private init(of logs: [EventLog], forwarding: (@Sendable () -> SpoolFigures)?, users: UserStore?) {
        let more = (forwarding == nil ? [] : MetricTable.webhead) + (users == nil ? [] : MetricTable.users)
        registry = MetricRegistry(MetricTable.all + more)
        self.users = users.map { [registry] in UserMetrics($0, registry) }
        webhead = forwarding.map { [registry] in WebheadMetrics(registry, forwarding: $0) }
        counters = Counters(registry)
        requests = RequestMetrics(registry)
        streams = logs.map { [registry] in StreamMetrics($0, registry) }
        Meter(
            label: "daybook_build_info",
            dimensions: [("version", Build.version), ("format", String(Build.format))], factory: registry
        ).set(1)
    }

    /// What there was since the start.
    public struct Totals: Equatable, Sendable {
        public var answered = 0
        /// Answers whose status is 500 or above.
        public var failed = 0
        /// Requests that were refused.
        public var refused = 0
        public var eventsIn = 0
        public var eventsOut = 0
        /// Events that were refused or discarded.
        public var dropped = 0
    }

    public var totals: Totals {
        let (requests, refusals) = (requests.totals, counters.refused.values)
        return Totals(
            answered: requests.answered, failed: requests.failed, refused: refusals.reduce(0) { $0 + $1.requests },
            eventsIn: counters.accepted, eventsOut: counters.delivered,
            dropped: counters.discarded + refusals.reduce(0) { $0 + $1.events })
    }

    /// All of them as they are now, in the text format of Prometheus. Blocks on the file system.
    func exposition() -> ByteBuffer {
        for stream in streams { stream.update() }
        users?.update()
        webhead?.update()
        var exposition = TextExposition()
        registry.write(to: &exposition)
        return ByteBuffer(string: exposition.text)
    }
}
