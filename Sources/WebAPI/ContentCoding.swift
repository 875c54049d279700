/// What `Accept-Encoding` asks for (RFC 9110 §12.5.3).
enum ContentCoding {
    static let zstandard = "zstd"
    private static let identity = "identity"

    /// Whether the values of `Accept-Encoding` ask for Zstandard: it is named, or meant by `*`, with a weight above
    /// 0, and what is not coded is not wanted more.
    static func wantsZstandard(_ values: [String]) -> Bool {
        var weights: [String: Int] = [:]
        for element in values.flatMap({ $0.split(separator: ",") }) {
            let parts = element.split(separator: ";", omittingEmptySubsequences: false)
            let coding = parts[0].filter { $0 != " " && $0 != "\t" }.lowercased()
            weights[coding] = Weight.among(parts.dropFirst())
        }
        let weight = weights[zstandard] ?? weights["*"] ?? 0
        return weight > 0 && weight >= weights[identity] ?? 0
    }
}

/// The weight of what a field value names (RFC 9110 §12.4.2), in thousandths.
enum Weight {
    static func among(_ parameters: some Swift.Sequence<Substring>) -> Int {
        for parameter in parameters {
            let parts = parameter.filter { $0 != " " && $0 != "\t" }.lowercased().split(separator: "=")
            guard parts.count == 2, parts[0] == "q" else { continue }
            guard let value = Double(parts[1]), value >= 0, value <= 1 else { return 1_000 }
            return Int(value * 1_000)
        }
        return 1_000
    }
}
