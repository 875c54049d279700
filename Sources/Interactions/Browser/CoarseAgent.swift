import StrictJSON

/// What is kept of a browser's name for itself: enough to tell whom a change has hurt, too little to tell one
/// person from another.
public struct CoarseAgent: Equatable, Sendable {
    public var os: String
    public var browser: String
    /// The major version.
    public var version: Int?

    public init(os: String, browser: String, version: Int?) {
        self.os = os
        self.browser = browser
        self.version = version
    }

    /// From the value of a `User-Agent` field.
    public init(userAgent: String) {
        let text = AgentText(userAgent)
        os = Self.systems.first { text.contains($0.token) }?.name ?? "Other"
        if Self.isRobot(text) {
            browser = "Bot"
        } else if let found = Self.browsers.first(where: { $0.isNamed(in: text) }) {
            browser = found.name
            version = text.number(behind: found.versionToken)
        } else {
            browser = "Other"
        }
    }

    /// As the value of `user_agent`.
    var json: String {
        #"{"os":"\#(os)","browser":"\#(browser)""# + (version.map { #","version":\#($0)"# } ?? "") + "}"
    }
}

extension CoarseAgent {
    /// The first that is named counts: Windows Phones name Android and iPhones too, Android names Linux.
    private static let systems: [(token: StaticString, name: String)] = [
        ("Windows Phone", "Windows Phone"), ("Windows", "Windows"), ("Android", "Android"), ("iPad", "iPad"),
        ("iPhone", "iPhone"), ("iPod", "iPhone"), ("Macintosh", "Macintosh"), ("CrOS", "ChromeOS"),
        ("Linux", "Linux"), ("X11", "Linux"),
    ]

    private struct Browser {
        let token: StaticString
        let name: String
        /// Must be there, too.
        let companion: StaticString
        let versionToken: StaticString

        init(
            _ token: StaticString, _ name: String, with companion: StaticString = "", version: StaticString? = nil
        ) {
            self.token = token
            self.name = name
            self.companion = companion
            versionToken = version ?? token
        }

        func isNamed(in text: AgentText) -> Bool {
            text.contains(token) && text.contains(companion)
        }
    }

    /// The first that is named counts. Nearly all name Safari, most name Chrome, so these stand behind those
    /// that only pretend.
    private static let browsers = [
        Browser("SamsungBrowser/", "Samsung Internet"),
        Browser("EdgiOS/", "Edge"), Browser("EdgA/", "Edge"), Browser("Edg/", "Edge"), Browser("Edge/", "Edge"),
        Browser("OPR/", "Opera"), Browser("OPT/", "Opera"), Browser("OPiOS/", "Opera"),
        Browser("Opera Mini/", "Opera"), Browser("Opera/", "Opera", with: "Version/", version: "Version/"),
        Browser("Opera/", "Opera"),
        Browser("Vivaldi/", "Vivaldi"), Browser("YaBrowser/", "Yandex"), Browser("DuckDuckGo/", "DuckDuckGo"),
        Browser("FxiOS/", "Firefox"), Browser("Firefox/", "Firefox"),
        Browser("CriOS/", "Chrome"), Browser("Chromium/", "Chrome"), Browser("Chrome/", "Chrome"),
        Browser("Version/", "Android Browser", with: "Android"),
        Browser("Version/", "Safari", with: "Safari/"),
        Browser("MSIE ", "Internet Explorer"), Browser("Trident/", "Internet Explorer", with: "rv:", version: "rv:"),
    ]

    private static let robots: [StaticString] = [
        "bot/", "bot-", "bot;", "bot)", "spider", "crawler", "slurp", "headless", "phantomjs", "curl/", "wget/",
        "python-",
        "java/", "libwww", "go-http-client", "facebookexternalhit", "lighthouse", "preview/",
    ]

    private static func isRobot(_ text: AgentText) -> Bool {
        let lower = text.lowercased
        return robots.contains { lower.contains($0) }
    }
}

/// The text of a `User-Agent` field as bytes: a hundred searches in characters would cost more than all the rest of a
/// post.
private struct AgentText {
    /// What stands behind is not looked at.
    private static let longest = 1_024

    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8.prefix(Self.longest)) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    var lowercased: AgentText { AgentText(bytes: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }) }

    func contains(_ token: StaticString) -> Bool { end(of: token) != nil }

    /// Behind the first place where it stands.
    private func end(of token: StaticString) -> Int? {
        let token = UnsafeBufferPointer(start: token.utf8Start, count: token.utf8CodeUnitCount)
        guard let first = token.first else { return 0 }
        return bytes.withUnsafeBufferPointer { text in
            var start = 0
            while start + token.count <= text.count {
                if text[start] == first, text[start..<start + token.count].elementsEqual(token) {
                    return start + token.count
                }
                start += 1
            }
            return nil
        }
    }

    /// Of at most four digits.
    func number(behind token: StaticString) -> Int? {
        guard let end = end(of: token) else { return nil }
        let digits = bytes[end...].prefix(4).prefix(while: Ascii.isDigit)
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - Ascii.zero) }
    }
}
