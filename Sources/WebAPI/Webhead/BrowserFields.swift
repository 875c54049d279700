import HTTPTypes

/// The fields of a browser's request that a webhead looks at, found in one pass.
struct BrowserFields {
    private static let globalPrivacyControl = HTTPField.Name.known("Sec-GPC")
    private static let doNotTrack = HTTPField.Name.known("DNT")

    private(set) var userAgent: String?
    private(set) var contentType: String?
    private(set) var origin: String?
    private var privacyControl: String?
    private var noTracking: String?
    private var cookies: [String] = []

    init(_ fields: HTTPFields) {
        for field in fields {
            switch field.name {
            case .userAgent: userAgent = field.value
            case .contentType: contentType = field.value
            case .origin: origin = field.value
            case .cookie: cookies.append(field.value)
            case Self.globalPrivacyControl: privacyControl = field.value
            case Self.doNotTrack: noTracking = field.value
            default: break
            }
        }
    }

    init(_ fields: PlainFields) {
        var fields = fields
        while let (name, value) = fields.next() {
            var text: String { String(decoding: value, as: UTF8.self) }
            switch name.count {
            case 3 where name.isEqual(to: "dnt"): noTracking = text
            case 6 where name.isEqual(to: "cookie"): cookies.append(text)
            case 6 where name.isEqual(to: "origin"): origin = text
            case 7 where name.isEqual(to: "sec-gpc"): privacyControl = text
            case 10 where name.isEqual(to: "user-agent"): userAgent = text
            case 12 where name.isEqual(to: "content-type"): contentType = text
            default: break
            }
        }
    }

    /// Whether a person says not to be measured.
    func gives(_ signal: OptOutSignal) -> Bool {
        switch signal {
        case .gpc: return privacyControl == "1"
        case .dnt: return noTracking == "1"
        case .cookie:
            return cookie(SessionCookie.optOutName).map { $0 != "0" } ?? false
        }
    }

    /// The value of a cookie; of several of a name the first.
    func cookie(_ name: String) -> Substring? {
        for text in cookies {
            var rest = text.utf8[...]
            while !rest.isEmpty {
                let part = rest.prefix { $0 != UInt8(ascii: ";") }
                rest = rest[part.endIndex...].dropFirst()
                let pair = part.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                guard pair.starts(with: name.utf8) else { continue }
                let value = pair.dropFirst(name.utf8.count)
                if value.first == UInt8(ascii: "=") { return Substring(value.dropFirst()) }
            }
        }
        return nil
    }
}
