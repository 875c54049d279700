import HTTPTypes

/// What a request to a webhead is for.
enum WebheadRoute: Equatable {
    case context
    case post
    case ping
    case isAlive
    case isReady
    case metrics
    /// An OPTIONS; the methods that the path answers.
    case options(String)

    init(_ method: HTTPRequest.Method, path: String, _ side: WebheadService.Side) throws(Problem) {
        let bare = String(path.prefix { $0 != "?" })
        guard let route = Self.paths[bare], side == .operators || route != .metrics,
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

    private var isForOperators: Bool { self == .isAlive || self == .isReady || self == .metrics }

    private static let paths: [String: WebheadRoute] = [
        "/wsapi/session_context": .context,
        "/wsapi/interaction_data": .post,
        "/wsapi/interaction_data/": .post,
        "/wsapi/ping": .ping,
        "/livez": .isAlive,
        "/readyz": .isReady,
        "/metrics": .metrics,
    ]
}
