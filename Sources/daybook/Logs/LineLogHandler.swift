import Logging

/// A line for each record: one JSON object, or text where a person reads.
struct LineLogHandler: LogHandler {
    enum Format {
        case json
        case text
    }

    /// Members beside time, level and message. What libraries add, such as addresses, is left out.
    private static let members = ["request", "status", "reason"] + MinuteCounts.members

    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]
    private let format: Format
    private let show: @Sendable (String) -> Void

    /// - Parameter show: takes a line with its end.
    init(_ format: Format, show: @escaping @Sendable (String) -> Void) {
        self.format = format
        self.show = show
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = metadata.merging(event.metadata ?? [:]) { _, later in later }
        let members = Self.members.compactMap { name in metadata[name].map { (name: name, value: "\($0)") } }
        switch format {
        case .json: show(Self.json(event, members).description + "\n")
        case .text:
            let rest = members.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            show(rest.isEmpty ? "\(event.message)\n" : "\(event.message) (\(rest))\n")
        }
    }

    private static func json(_ event: LogEvent, _ members: [(name: String, value: String)]) -> JSONValue {
        let now = WallClock.now()
        let head: [(name: String, value: JSONValue)] = [
            ("time", .text(timeText(now - now % 1_000))), ("level", .text(event.level.rawValue)),
            ("message", .text("\(event.message)")),
        ]
        return .object(
            head + members.map { ($0.name, UInt64($0.value).map { .number($0) } ?? .text($0.value)) })
    }
}
