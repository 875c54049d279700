/// The text format of Prometheus, version 0.0.4: what a scrape reads.
struct TextExposition {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// The lines that stand before the samples of a metric.
    mutating func begin(_ metric: MetricDescription) {
        text += "# HELP \(metric.name) \(Self.escaped(metric.help, quotes: false))\n"
        text += "# TYPE \(metric.name) \(metric.kind.name)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1, quotes: true))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    /// - Parameter buckets: how many fell into each alone, the last being the one without a bound.
    mutating func histogram(
        _ name: String, _ labels: [(String, String)], bounds: [Double], buckets: [Int64], sum: Double
    ) {
        var count: Int64 = 0
        for (bound, bucket) in zip(bounds.map(Self.number) + ["+Inf"], buckets) {
            count += bucket
            sample("\(name)_bucket", labels + [("le", bound)], Double(count))
        }
        sample("\(name)_sum", labels, sum)
        sample("\(name)_count", labels, Double(count))
    }

    /// Whole numbers without a point; an infinity and what is no number as the format spells them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? String(value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
