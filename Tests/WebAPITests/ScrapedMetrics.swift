import Testing

/// What a scrape gave, read as strictly as the text format 0.0.4 is written: anything out of it is an error.
struct ScrapedMetrics {
    struct Family: Equatable {
        let type: String
        let help: String
        var samples: [Sample] = []
    }

    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Malformed: Error { let line: String, why: String }

    /// In the order in which they were told.
    private(set) var names: [String] = []
    private(set) var families: [String: Family] = [:]

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(line: "", why: "the last line has no end") }
        var help: (name: String, text: String)?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            switch words.prefix(2) {
            case ["#", "HELP"]:
                guard help == nil, words.count == 4 else { throw Malformed(line: line, why: "HELP") }
                help = (words[2], try Self.unescaped(words[3], quotes: false))
            case ["#", "TYPE"]:
                guard words.count == 4, let told = help, told.name == words[2], families[told.name] == nil,
                    ["counter", "gauge", "histogram"].contains(words[3])
                else { throw Malformed(line: line, why: "TYPE") }
                help = nil
                names.append(told.name)
                families[told.name] = Family(type: words[3], help: told.text)
            default:
                try add(Self.sample(line), line)
            }
        }
        guard help == nil else { throw Malformed(line: "", why: "HELP without TYPE") }
        for name in names where families[name]?.type == "histogram" { try check(histogram: name) }
    }

    /// The value of one series.
    subscript(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.values.lazy.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    private mutating func add(_ sample: Sample, _ line: String) throws {
        guard let family = names.last, let known = families[family] else { throw Malformed(line: line, why: "no TYPE") }
        let suffixes = known.type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { sample.name == family + $0 }) else {
            throw Malformed(line: line, why: "family")
        }
        guard !known.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
            throw Malformed(line: line, why: "told twice")
        }
        families[family]?.samples.append(sample)
    }

    private static func sample(_ line: String) throws -> Sample {
        guard let space = line.lastIndex(of: " ") else { throw Malformed(line: line, why: "no value") }
        let (series, number) = (line[..<space], line[line.index(after: space)...])
        guard let value = Self.value(String(number)) else { throw Malformed(line: line, why: "value") }
        guard let brace = series.firstIndex(of: "{") else {
            return Sample(name: try Self.name(String(series), line), labels: [:], value: value)
        }
        guard series.hasSuffix("}") else { throw Malformed(line: line, why: "brace") }
        let labels = try Self.labels(series[series.index(after: brace)...].dropLast(), line)
        return Sample(name: try Self.name(String(series[..<brace]), line), labels: labels, value: value)
    }

    private static func value(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "+Inf": .infinity
        default: text.first?.isNumber == true || text.first == "-" ? Double(text) : nil
        }
    }

    private static func name(_ text: String, _ line: String) throws -> String {
        guard text.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil else { throw Malformed(line: line, why: "name") }
        return text
    }

    private static func labels(_ text: Substring, _ line: String) throws -> [String: String] {
        var (labels, rest): ([String: String], Substring) = ([:], text)
        while let match = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,?)/) {
            let (name, value) = (String(match.1), try unescaped(String(match.2), quotes: true))
            guard labels.updateValue(value, forKey: name) == nil else { throw Malformed(line: line, why: "label") }
            rest = rest[match.range.upperBound...]
            if rest.isEmpty, match.3.isEmpty { return labels }
        }
        throw Malformed(line: line, why: "labels")
    }

    private static func unescaped(_ text: String, quotes: Bool) throws -> String {
        var (plain, isEscape) = ("", false)
        for character in text {
            switch (isEscape, character) {
            case (false, "\\"): isEscape = true
            case (false, _): plain.append(character)
            case (true, "n"): (plain, isEscape) = (plain + "\n", false)
            case (true, "\\"): (plain, isEscape) = (plain + "\\", false)
            case (true, "\"") where quotes: (plain, isEscape) = (plain + "\"", false)
            default: throw Malformed(line: text, why: "escape")
            }
        }
        guard !isEscape else { throw Malformed(line: text, why: "escape") }
        return plain
    }

    /// Buckets rise to the one without a bound, which is the count.
    private func check(histogram name: String) throws {
        let samples = families[name]?.samples ?? []
        let series = Dictionary(grouping: samples) { $0.labels.filter { $0.key != "le" } }
        for (labels, samples) in series {
            let buckets = samples.filter { $0.name == name + "_bucket" }
            let bounds = buckets.map { Self.value($0.labels["le"] ?? "") ?? .nan }
            guard bounds == bounds.sorted(), bounds.last == .infinity,
                buckets.map(\.value) == buckets.map(\.value).sorted(),
                buckets.last?.value == self[name + "_count", labels], self[name + "_sum", labels] != nil
            else { throw Malformed(line: name, why: "buckets") }
        }
    }
}
