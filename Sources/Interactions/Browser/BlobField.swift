/// The fields of a blob that are known (SPEC Z4).
enum BlobField: String, CaseIterable {
    case timestamp
    case localTimestamp = "local_timestamp"
    case eventStream = "event_stream"
    case emailType = "email_type"
    case numberEmails = "number_emails"
    case numberSitesLoggedIn = "number_sites_logged_in"
    case numberSitesSignedIn = "number_sites_signed_in"
    case numberSitesRemembered = "number_sites_remembered"
    case newAccount = "new_account"
    case orphaned
    case language
    case lang
    case screenSize = "screen_size"
    case sampleRate = "sample_rate"
    case userAgent = "user_agent"
    case id = "_id"
    case revision = "_rev"

    /// Bounds of the values; each with what it keeps out.
    enum Bound {
        /// More is no count of anything that a person has.
        static let count = 0.0...1_000_000.0
        static let pixels = 0.0...100_000.0
        /// Milliseconds; a tab may stay open for years.
        static let offset = -1e13...1e13
        static let rate = 0.0...1.0
        static let nameBytes = 256
        static let tagBytes = 35
        static let wordBytes = 64
    }

    private static let names = Dictionary(uniqueKeysWithValues: allCases.map { (Array($0.rawValue.utf8), $0) })
    private static let longestName = names.keys.reduce(0) { max($0, $1.count) }

    /// By the text between the quotes of a name, escapes and all.
    static func named(_ name: Range<Int>, in json: ValidJSON) -> BlobField? {
        json.unescaped(name, atMost: longestName).flatMap { names[$0] }
    }

    /// What is wrong with a value, which is not `null`.
    func fault(of value: Range<Int>, in json: ValidJSON) -> BlobFault? {
        do throws(BlobFault) {
            try check(BlobValue(json: json, range: value, place: BlobPlace(self)))
            return nil
        } catch {
            return error
        }
    }

    private func check(_ value: BlobValue) throws(BlobFault) {
        switch self {
        case .timestamp: _ = try value.timestamp()
        case .localTimestamp, .id, .revision: break
        case .eventStream: try value.requireEventStream()
        case .emailType: try value.requireText(1...Bound.wordBytes)
        case .numberEmails, .numberSitesLoggedIn, .numberSitesSignedIn, .numberSitesRemembered:
            try value.requireWhole(Bound.count)
        case .newAccount, .orphaned: try value.requireTruth()
        case .language, .lang: try value.requireLanguageTag()
        case .screenSize:
            for side in try value.members("width", "height") { try side?.requireNumber(Bound.pixels) }
        case .sampleRate: try value.requireNumber(Bound.rate)
        case .userAgent:
            let members = try value.members("os", "browser", "version")
            for name in members.prefix(2) { try name?.requireText(0...Bound.wordBytes) }
            try members[2]?.requireVersion()
        }
    }
}
