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
        let text = userAgent.prefix(Self.longest)
        os = Self.systems.first { text.contains($0.token) }?.name ?? "Other"
        if Self.isRobot(text) {
            browser = "Bot"
        } else if let found = Self.browsers.first(where: { $0.isNamed(in: text) }) {
            browser = found.name
            version = Self.number(behind: found.versionToken, in: text)
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
    /// What stands behind is not looked at.
    private static let longest = 1_024

    /// The first that is named counts: Windows Phones name Android and iPhones too, Android names Linux.
    private static let systems: [(token: String, name: String)] = [
        ("Windows Phone", "Windows Phone"), ("Windows", "Windows"), ("Android", "Android"), ("iPad", "iPad"),
        ("iPhone", "iPhone"), ("iPod", "iPhone"), ("Macintosh", "Macintosh"), ("CrOS", "ChromeOS"),
        ("Linux", "Linux"), ("X11", "Linux"),
    ]

    private struct Browser {
        let token: String
        let name: String
        /// Must be there, too.
        let companion: String
        let versionToken: String

        init(_ token: String, _ name: String, with companion: String = "", version: String? = nil) {
            self.token = token
            self.name = name
            self.companion = companion
            versionToken = version ?? token
        }

        func isNamed(in text: Substring) -> Bool {
            text.contains(token) && (companion.isEmpty || text.contains(companion))
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

    private static let robots = [
        "bot/", "bot-", "bot;", "bot)", "spider", "crawler", "slurp", "headless", "phantomjs", "curl/", "wget/",
        "python-",
        "java/", "libwww", "go-http-client", "facebookexternalhit", "lighthouse", "preview/",
    ]

    private static func isRobot(_ text: Substring) -> Bool {
        let lower = text.lowercased()
        return robots.contains { lower.contains($0) }
    }

    private static func number(behind token: String, in text: Substring) -> Int? {
        guard let range = text.firstRange(of: token) else { return nil }
        return Int(text[range.upperBound...].prefix { $0.isASCII && $0.isNumber }.prefix(4))
    }
}
