import HTTPTypes

extension HTTPField.Name {
    static let daybookCount = Self.known("Daybook-Count")
    static let daybookCursor = Self.known("Daybook-Cursor")
    /// What a forwarder calls a batch: `source/epoch/number`.
    static let daybookDelivery = Self.known("Daybook-Delivery")
    static let daybookDigest = Self.known("Daybook-XXH3")
    /// Why a body was refused, where the answer itself is one of a few texts: a token, then perhaps
    /// `; offset=n`, the place in the decoded data. As a trailer, why a streamed answer ended early.
    static let daybookReason = Self.known("Daybook-Reason")
    static let daybookComplete = Self.known("Daybook-Complete")
    static let idempotencyKey = Self.known("Idempotency-Key")
    /// Of an answer that failed: the number under which the log has it.
    static let requestID = Self.known("X-Request-Id")
    static let nextLink = Self.known("Link")

    static func known(_ name: String) -> HTTPField.Name {
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

    /// Whether trailer fields may be sent (RFC 9110 §10.1.4). A client that says nothing can skip them, as
    /// whoever reads chunks can.
    var takesTrailers: Bool {
        guard contains(.te) else { return true }
        return self[values: .te].joined(separator: ",").split(separator: ",").contains { coding in
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            return parts.first == "trailers"
                && !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains { ("1"..."9").contains($0) } }
        }
    }
}

extension HTTPResponse.Status {
    static let insufficientStorage = Self(code: 507, reasonPhrase: "Insufficient Storage")
}

enum MediaType {
    static let json = "application/json"
    static let ndjson = "application/x-ndjson"
    static let lz4 = "application/x-lz4"
    static let form = "application/x-www-form-urlencoded"
    static let problem = "application/problem+json"
    static let text = "text/plain; charset=utf-8"

    /// The type and subtype of a field value, in lower case, without parameters.
    static func essence(of value: String) -> String {
        if value == ndjson || value == json { return value }
        let bare = value.prefix { $0 != ";" }
        return bare.drop { $0 == " " || $0 == "\t" }.split { $0 == " " || $0 == "\t" }.first?.lowercased() ?? ""
    }
}
