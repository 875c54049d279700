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
    static let storeEvents = Endpoint(.post, path: Route.eventsPath)

    private static let templates = Route.paths.keys.sorted().filter { $0 != Route.eventsPath + "/" }
    private static let numbers: [String: Int] = {
        var numbers = Dictionary(uniqueKeysWithValues: templates.enumerated().map { ($1, $0) })
        numbers[Route.eventsPath + "/"] = numbers[Route.eventsPath]
        return numbers
    }()

    /// From 0 to below `count`.
    let number: Int

    init(_ method: HTTPRequest.Method, path: String) {
        number = (Self.numbers[path] ?? Self.templates.count) * Method.allCases.count + Method(method).rawValue
    }

    var labels: [(String, String)] {
        let (template, method) = number.quotientAndRemainder(dividingBy: Method.allCases.count)
        return [
            ("method", Method.allCases[method].label),
            ("route", template < Self.templates.count ? Self.templates[template] : "other"),
        ]
    }
}
