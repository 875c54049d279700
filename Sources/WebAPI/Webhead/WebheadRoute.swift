import HTTPTypes

/// What a request to a webhead is for.
enum WebheadRoute: Equatable {
    case context
    case post
    case ping
    case isAlive
    case isReady
    case version
    case metrics
    /// An OPTIONS; the methods that the path answers.
    case options(String)

    init(_ method: HTTPRequest.Method, path: NormalPath, _ side: WebheadService.Side) throws(Problem) {
        guard let route = Self.paths[path.text], side == .operators || route != .metrics,
            side == .browsers || route.isForOperators
        else { throw .notFound }
        let methods = route == .post ? "OPTIONS, POST" : "GET, HEAD, OPTIONS"
        switch method {
        case .post where route == .post: self = route
        case .get where route != .post, .head where route != .post: self = route
        case .options: self = .options(methods)
        default: throw .notAllowed(methods)
        }
    }

    /// No limit of requests holds for them: a webhead that is busy says so.
    var isForOperators: Bool {
        switch self {
        case .isAlive, .isReady, .version, .metrics: true
        case .context, .post, .ping, .options: false
        }
    }

    static let contextPath = "/wsapi/session_context"

    private static let paths: [String: WebheadRoute] = [
        contextPath: .context,
        Route.eventsPath: .post,
        "/wsapi/ping": .ping,
        "/livez": .isAlive,
        "/readyz": .isReady,
        "/version": .version,
        "/metrics": .metrics,
    ]
}
