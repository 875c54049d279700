import HTTPTypes

/// What a request is for.
enum Route: Equatable {
    case storeEvents
    case readEvents
    case ping
    case isAlive
    case isReady

    static let eventsPath = "/wsapi/interaction_data"

    init(_ method: HTTPRequest.Method, path: String) throws(Problem) {
        switch path {
        case Self.eventsPath, "/wsapi/interaction_data/":
            switch method {
            case .post: self = .storeEvents
            case .get, .head: self = .readEvents
            default: throw .notAllowed("GET, HEAD, POST")
            }
        case "/wsapi/ping": self = try Self.reading(.ping, method)
        case "/livez": self = try Self.reading(.isAlive, method)
        case "/readyz": self = try Self.reading(.isReady, method)
        default: throw .notFound
        }
    }

    private static func reading(_ route: Route, _ method: HTTPRequest.Method) throws(Problem) -> Route {
        guard method == .get || method == .head else { throw .notAllowed("GET, HEAD") }
        return route
    }
}
