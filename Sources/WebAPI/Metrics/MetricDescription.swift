/// A metric: its name, what it is, and which labels its series have. SPEC §21 has the same table.
struct MetricDescription: Sendable {
    enum Kind: Equatable, Sendable {
        case counter
        case gauge
        /// The upper bounds of its buckets, rising; a last one without a bound is implied. Of times they are
        /// seconds.
        case histogram([Double])

        var name: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    let name: String
    let kind: Kind
    let labels: [String]
    let help: String

    init(_ name: String, _ kind: Kind, _ labels: [String], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }
}
