import Interactions
import Synchronization

/// What became of what browsers sent, since the start.
public final class WebheadCounters: Sendable {
    private let acceptedPosts = Atomic<Int>(0)
    private let acceptedEvents = Atomic<Int>(0)
    private let others = Mutex(Others())

    /// Posts that left nothing in the spool, and changes of blobs, by reason.
    public struct Others: Sendable {
        /// Answered with success, and nothing was stored: `opt_out`, `sampled_out`.
        public var dropped: [String: Int] = [:]
        /// Answered with a refusal.
        public var refused: [String: Int] = [:]
        public var changed: [BlobChange: Int] = [:]
    }

    public init() {}

    public var posts: Int { acceptedPosts.load(ordering: .relaxed) }
    /// Durable in the spool.
    public var events: Int { acceptedEvents.load(ordering: .relaxed) }
    public var rest: Others { others.withLock { $0 } }

    func accept(_ events: Int, _ changes: [BlobChange: Int]) {
        acceptedPosts.add(1, ordering: .relaxed)
        acceptedEvents.add(events, ordering: .relaxed)
        guard !changes.isEmpty else { return }
        others.withLock { $0.changed.merge(changes, uniquingKeysWith: +) }
    }

    func drop(_ reason: String) { others.withLock { $0.dropped[reason, default: 0] += 1 } }
    func refuse(_ reason: String) { others.withLock { $0.refused[reason, default: 0] += 1 } }

    /// In the text format of Prometheus.
    public var text: String {
        let rest = rest
        var text = """
            # TYPE daybook_webhead_posts_total counter
            daybook_webhead_posts_total \(posts)
            # TYPE daybook_webhead_events_total counter
            daybook_webhead_events_total \(events)

            """
        text += Self.family("dropped_posts", rest.dropped)
        text += Self.family("refused_posts", rest.refused)
        text += Self.family("changed_blobs", Dictionary(uniqueKeysWithValues: rest.changed.map { ($0.rawValue, $1) }))
        return text
    }

    private static func family(_ name: String, _ counts: [String: Int]) -> String {
        let name = "daybook_webhead_\(name)_total"
        let lines = counts.sorted { $0.key < $1.key }.map { "\(name){reason=\"\($0.key)\"} \($0.value)\n" }
        return "# TYPE \(name) counter\n" + lines.joined()
    }
}
