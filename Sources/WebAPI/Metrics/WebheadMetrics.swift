import CoreMetrics
import Interactions
import Synchronization

/// How forwarding does, in numbers, as they are now.
public struct SpoolFigures: Sendable {
    public struct Server: Sendable {
        public var name: String
        public var isUp: Bool
        /// That it may have.
        public var unknownEvents: Int

        public init(name: String, isUp: Bool, unknownEvents: Int) {
            (self.name, self.isUp, self.unknownEvents) = (name, isUp, unknownEvents)
        }
    }

    /// That no server has answered for.
    public var waitingEvents: UInt64 = 0
    public var waitingBytes: UInt64 = 0
    public var waitingMilliseconds: Int64 = 0
    public var isFull = false
    /// By outcome; never fewer than before.
    public var forwarded: [String: UInt64] = [:]
    public var servers: [Server] = []

    public init() {}
}

/// What a webhead has changed of blobs, as it happens, and how forwarding does, when it is asked for.
final class WebheadMetrics: Sendable {
    private let factory: any MetricsFactory
    private let forwarding: @Sendable () -> SpoolFigures
    private let changes: [BlobChange: Counter]
    private let told = Mutex(Told())

    private struct Told {
        /// What was counted before the process began is not counted here.
        var forwarded: [String: UInt64] = [:]
        var servers: Set<String> = []
    }

    init(_ factory: any MetricsFactory, forwarding: @escaping @Sendable () -> SpoolFigures) {
        self.factory = factory
        self.forwarding = forwarding
        changes = Dictionary(
            uniqueKeysWithValues: BlobChange.allCases.map { change in
                let labels = [("change", change.rawValue)]
                return (change, Counter(label: "daybook_changed_blobs_total", dimensions: labels, factory: factory))
            })
        told.withLock { $0.forwarded = forwarding().forwarded }
    }

    func count(_ counts: [BlobChange: Int]) {
        for (change, count) in counts { changes[change]?.increment(by: count) }
    }

    func update() {
        let figures = forwarding()
        set("daybook_spool_waiting_events", Double(figures.waitingEvents))
        set("daybook_spool_waiting_bytes", Double(figures.waitingBytes))
        set("daybook_spool_waiting_seconds", Double(figures.waitingMilliseconds) / 1_000)
        set("daybook_spool_full", figures.isFull ? 1 : 0)
        told.withLock { told in
            for (outcome, events) in figures.forwarded {
                let before = told.forwarded[outcome] ?? 0
                Counter(
                    label: "daybook_forwarded_events_total", dimensions: [("outcome", outcome)], factory: factory
                ).increment(by: events - min(before, events))
                // Of two who ask at once, the one with the older figures may come last.
                told.forwarded[outcome] = max(before, events)
            }
            for server in figures.servers { tell(of: server) }
            // What was told of one that is gone would stay as it was.
            let names = Set(figures.servers.map(\.name))
            for name in told.servers.subtracting(names) { tell(of: .init(name: name, isUp: false, unknownEvents: 0)) }
            told.servers.formUnion(names)
        }
    }

    private func tell(of server: SpoolFigures.Server) {
        let labels = [("server", server.name)]
        set("daybook_storage_up", server.isUp ? 1 : 0, labels)
        set("daybook_storage_unknown_events", Double(server.unknownEvents), labels)
    }

    private func set(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        Meter(label: name, dimensions: labels, factory: factory).set(value)
    }
}
