import FoundationEssentials

/// A record of the stream `audit`, for people (SPEC U8, AC14).
struct AuditLine: Decodable {
    private struct Segment: Decodable {}

    private enum Name: String, CodingKey {
        case timestamp, type, stream, streams, who, what, from, to, subject, reason, times, events, bytes, oldest,
            newest,
            segments
        case horizon = "horizon_after"
    }

    let text: String

    /// `nil` for what is no record of a kind that this version knows.
    init?(_ line: some Collection<UInt8>) {
        guard let record = try? JSONDecoder().decode(AuditLine.self, from: Data(line)) else { return nil }
        self = record
    }

    init(from decoder: any Decoder) throws {
        let record = try decoder.container(keyedBy: Name.self)
        let type = try record.decode(String.self, forKey: .type)
        let words =
            switch type {
            case "purge": try Self.purge(record)
            case "read": try Self.read(record)
            case "refusal": try Self.refusal(record)
            case "erase": [try record.decode(String.self, forKey: .subject)]
            default: throw DecodingError.dataCorruptedError(forKey: .type, in: record, debugDescription: "another kind")
            }
        let head = [
            timeText(try record.decode(UInt64.self, forKey: .timestamp)),
            type + String(repeating: " ", count: max(0, 7 - type.count)),
            try record.decodeIfPresent(String.self, forKey: .stream)
                ?? record.decode([String].self, forKey: .streams).joined(separator: ", "),
        ]
        text = (head + words).joined(separator: "  ")
    }

    private static func purge(_ record: KeyedDecodingContainer<Name>) throws -> [String] {
        let segments = try record.decode([Segment].self, forKey: .segments).count
        let bytes = try record.decode(UInt64.self, forKey: .bytes)
        let horizon = try record.decode(UInt64.self, forKey: .horizon)
        return [
            "\(try amount(record)), \(segments.grouped) \(segments == 1 ? "segment" : "segments"), \(sizeText(bytes))",
            try range(record, .oldest, .newest), "horizon \(horizon == 0 ? "none" : timeText(horizon))",
        ]
    }

    private static func read(_ record: KeyedDecodingContainer<Name>) throws -> [String] {
        let subject = try record.decodeIfPresent(String.self, forKey: .subject)
        return [
            try who(record), try record.decode(String.self, forKey: .what),
            try subject ?? range(record, .from, .to), try times(record), try amount(record),
        ]
    }

    private static func refusal(_ record: KeyedDecodingContainer<Name>) throws -> [String] {
        [try who(record), try record.decode(String.self, forKey: .reason), try times(record)]
    }

    private static func who(_ record: KeyedDecodingContainer<Name>) throws -> String {
        try record.decodeIfPresent(String.self, forKey: .who) ?? "nobody"
    }

    private static func range(_ record: KeyedDecodingContainer<Name>, _ from: Name, _ to: Name) throws -> String {
        let ends = try [from, to].map { try record.decodeIfPresent(UInt64.self, forKey: $0).map(timeText) ?? "any" }
        return ends.joined(separator: " to ")
    }

    private static func times(_ record: KeyedDecodingContainer<Name>) throws -> String {
        let times = try record.decode(UInt64.self, forKey: .times)
        return times == 1 ? "once" : "\(times.grouped) times"
    }

    private static func amount(_ record: KeyedDecodingContainer<Name>) throws -> String {
        let events = try record.decode(UInt64.self, forKey: .events)
        return "\(events.grouped) \(events == 1 ? "event" : "events")"
    }
}
