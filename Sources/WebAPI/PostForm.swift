import HTTPTypes

/// How a body brings its events.
enum PostForm: Equatable {
    /// NDJSON, one a line; with `skipsFaults` a bad line is left out, else it refuses the body.
    case lines(skipsFaults: Bool)
    /// As the field `data` of a form; so is a body without a type.
    case form
    /// As the member `data` of a JSON object.
    case json

    init(_ fields: HTTPFields, _ query: String?) throws(Problem) {
        let skipsFaults = try Self.skipsFaults(QueryParameters(query))
        switch fields[.contentType].map(MediaType.essence) {
        case MediaType.ndjson: self = .lines(skipsFaults: skipsFaults)
        case MediaType.form, nil: self = .form
        case MediaType.json: self = .json
        default: throw .unsupportedMediaType
        }
    }

    private static func skipsFaults(_ parameters: QueryParameters) throws(Problem) -> Bool {
        switch try parameters.value("on_error") {
        case nil, "refuse": return false
        case "skip": return true
        default: throw .badParameter("on_error", "it is refuse or skip")
        }
    }
}
