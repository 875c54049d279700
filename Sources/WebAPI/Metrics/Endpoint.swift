import HTTPTypes

/// What a request is counted under: a method and a path out of closed sets, whatever a client makes up.
struct Endpoint: Equatable {
    private enum Method: Int, CaseIterable {
        case get, head, post, options, other

        init(_ method: HTTPRequest.Method) {
            switch method {
            case .get: self = .get
            case .head: self = .head
            case .post: self = .post
            case .options: self = .options
            default: self = .other
            }
        }

        var label: String { self == .other ? "other" : String(describing: self).uppercased() }
    }

    static let count = (templates.count + 1) * Method.allCases.count
    static let storeEvents = Endpoint(.post, template: numbers[Route.eventsPath])
    static let sessionContext = Endpoint(.get, template: numbers[WebheadRoute.contextPath])
    private static let userCalls = Dictionary(
        uniqueKeysWithValues: UserCall.allCases.map { ($0, Endpoint(.post, template: numbers[$0.path])) })

    static func of(_ call: UserCall) -> Endpoint { userCalls[call] ?? Endpoint(.post, template: nil) }

    private static let templates =
        (Array(Route.paths.keys) + [WebheadRoute.contextPath] + UserCall.allCases.map(\.path))
        .sorted()
    private static let numbers = Dictionary(uniqueKeysWithValues: templates.enumerated().map { ($1, $0) })
    private static let unlimited = templates.map { Route.operatorPaths[$0] != nil } + [false]

    /// From 0 to below `count`.
    let number: Int

    /// - Parameter path: `nil` for one that cannot be read.
    init(_ method: HTTPRequest.Method, path: NormalPath?) {
        self.init(method, template: path.flatMap { Self.numbers[$0.text] })
    }

    private init(_ method: HTTPRequest.Method, template: Int?) {
        number = (template ?? Self.templates.count) * Method.allCases.count + Method(method).rawValue
    }

    /// Whether the limits of requests hold for it.
    var isLimited: Bool { !Self.unlimited[number / Method.allCases.count] }

    var labels: [(String, String)] {
        let (template, method) = number.quotientAndRemainder(dividingBy: Method.allCases.count)
        return [
            ("method", Method.allCases[method].label),
            ("route", template < Self.templates.count ? Self.templates[template] : "other"),
        ]
    }
}
