import SegmentFormat

/// How events are written in an answer.
enum EventForm: Equatable {
    /// The stored lines, one an event.
    case lines
    /// Zstandard frames of the stored lines: the same media type, in a content coding.
    case codedLines
    /// A JSON array of rows.
    case rows
    /// JSON objects, one a change, each with CR LF.
    case changes
    /// LZ4 frames of lines, in order of arrival.
    case frames

    var mediaType: String {
        switch self {
        case .lines, .codedLines: MediaType.ndjson
        case .frames: MediaType.lz4
        case .rows, .changes: MediaType.json
        }
    }

    /// What `Content-Encoding` says.
    var coding: String? { self == .codedLines ? ContentCoding.zstandard : nil }

    /// What the form was chosen by.
    var vary: String {
        switch self {
        case .lines, .codedLines: "Accept, Accept-Encoding"
        case .rows, .changes, .frames: "Accept"
        }
    }

    /// Frames of the same lines may be cut otherwise another time.
    var isWeaklyNamed: Bool { self == .frames || self == .codedLines }

    /// The codec of the frames that it is made of.
    var codec: Codec? {
        switch self {
        case .frames: .lz4
        case .codedLines: .zstandard
        case .lines, .rows, .changes: nil
        }
    }

    /// The form that suits the values of `Accept` best (RFC 9110 §12.5.1): the highest weight, then
    /// the type that is named most exactly, then rows. `nil` where neither is acceptable.
    init?(accept values: [String]) {
        let ranges = values.flatMap { $0.split(separator: ",") }.compactMap(MediaRange.init)
        guard !ranges.isEmpty else {
            self = .rows
            return
        }
        let choices: [EventForm] = [.rows, .lines, .frames]
        var best: (form: EventForm, preference: Preference)?
        for form in choices {
            let preference = Preference(of: form.mediaType, among: ranges)
            guard preference.weight > 0, best.map({ $0.preference < preference }) ?? true else { continue }
            best = (form, preference)
        }
        guard let best else { return nil }
        self = best.form
    }
}

/// One range of an `Accept` field: `type/subtype`, `type/*` or `*/*`, and its weight in thousandths.
private struct MediaRange {
    let type: String
    let weight: Int

    init?(_ text: Substring) {
        type = MediaType.essence(of: String(text))
        guard type.contains("/") else { return nil }
        weight = Weight.among(text.split(separator: ";").dropFirst())
    }

    /// How exactly the range names a type: 0 for any, 2 for just this one; `nil` where it does not.
    func exactness(for wanted: String) -> Int? {
        if type == wanted { return 2 }
        if type == "application/*" { return 1 }
        return type == "*/*" ? 0 : nil
    }
}

/// What the most exact of the ranges says of a type.
private struct Preference: Comparable {
    var weight = 0
    var exactness = -1

    init(of type: String, among ranges: [MediaRange]) {
        for range in ranges {
            guard let exactness = range.exactness(for: type), exactness > self.exactness else { continue }
            (weight, self.exactness) = (range.weight, exactness)
        }
    }

    static func < (a: Preference, b: Preference) -> Bool {
        (a.weight, a.exactness) < (b.weight, b.exactness)
    }
}
