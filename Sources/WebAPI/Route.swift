import HTTPTypes

/// What a request is for.
enum Route: Equatable {
    case storeEvents
    case readEvents
    case countEvents
    case readLastEvent
    case followChanges
    case ping
    case isAlive
    case isReady
    case version
    case metrics
    case describe
    case user(UserCall)
    /// An OPTIONS; the methods that the path answers.
    case options(String)

    init(_ method: HTTPRequest.Method, path: NormalPath, role: Role) throws(Problem) {
        if role == .userMetadata, let call = UserCall(path: path.text) {
            self = try Self.ofUsers(method, call)
            return
        }
        guard let reading = Self.paths(of: role)[path.text] else { throw .notFound }
        let isWritable = reading == .readEvents
        let allowed = isWritable ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS"
        switch method {
        case .get, .head: self = reading
        case .post where isWritable: self = .storeEvents
        case .options: self = .options(allowed)
        default: throw .notAllowed(allowed)
        }
    }

    private static func ofUsers(_ method: HTTPRequest.Method, _ call: UserCall) throws(Problem) -> Route {
        let allowed = "OPTIONS, POST"
        switch method {
        case .post: return .user(call)
        case .options: return .options(allowed)
        default: throw .notAllowed(allowed)
        }
    }

    static let eventsPath = "/wsapi/interaction_data"

    /// What a GET of each path is for.
    static let paths = operatorPaths.merging([
        eventsPath: .readEvents,
        eventsPath + "/count": .countEvents,
        eventsPath + "/last": .readLastEvent,
        eventsPath + "/stream": .followChanges,
        "/wsapi/ping": .ping,
        "/openapi.json": .describe,
    ]) { path, _ in path }

    /// Those for who runs the server. No limit of requests holds for them: a server that is busy says so.
    static let operatorPaths: [String: Route] = [
        "/livez": .isAlive,
        "/readyz": .isReady,
        "/version": .version,
        "/metrics": .metrics,
    ]

    private static let userPaths = operatorPaths.merging(["/openapi.json": .describe]) { path, _ in path }

    static func paths(of role: Role) -> [String: Route] {
        switch role {
        case .interactions: paths
        case .userMetadata: userPaths
        case .webhead, .admin: operatorPaths
        }
    }
}

/// Whom a listener is for.
public enum Role: String, CaseIterable, Sendable {
    /// Serves all that there is.
    case interactions
    case userMetadata = "user-metadata"
    case webhead
    /// Serves what is for who runs the server, and nothing else.
    case admin

    var servesEvents: Bool { self == .interactions }
}
