import HTTPTypes

extension HTTPField.Name {
    static let daybookCount = Self.known("Daybook-Count")
    static let daybookCursor = Self.known("Daybook-Cursor")
    static let daybookDigest = Self.known("Daybook-XXH3")
    static let daybookComplete = Self.known("Daybook-Complete")
    static let idempotencyKey = Self.known("Idempotency-Key")
    static let nextLink = Self.known("Link")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no field name") }
        return name
    }
}

extension HTTPFields {
    /// The value of a field that is there just once. The subscript joins values, which takes a microsecond.
    func only(_ name: HTTPField.Name) -> String? {
        var value: String?
        for field in self where field.name == name {
            guard value == nil else { return nil }
            value = field.value
        }
        return value
    }
}

extension HTTPResponse.Status {
    static let insufficientStorage = Self(code: 507, reasonPhrase: "Insufficient Storage")
}

enum MediaType {
    static let json = "application/json"
    static let ndjson = "application/x-ndjson"
    static let problem = "application/problem+json"
    static let text = "text/plain; charset=utf-8"

    /// The type and subtype of a field value, in lower case, without parameters.
    static func essence(of value: String) -> String {
        if value == ndjson || value == json { return value }
        let bare = value.prefix { $0 != ";" }
        return bare.drop { $0 == " " || $0 == "\t" }.split { $0 == " " || $0 == "\t" }.first?.lowercased() ?? ""
    }
}
