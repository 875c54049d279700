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
    case describe
    /// An OPTIONS; the methods that the path answers.
    case options(String)

    init(_ method: HTTPRequest.Method, path: String) throws(Problem) {
        guard let reading = Self.paths[path] else { throw .notFound }
        let isWritable = reading == .readEvents
        let allowed = isWritable ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS"
        switch method {
        case .get, .head: self = reading
        case .post where isWritable: self = .storeEvents
        case .options: self = .options(allowed)
        default: throw .notAllowed(allowed)
        }
    }

    static let eventsPath = "/wsapi/interaction_data"

    /// What a GET of each path is for.
    static let paths: [String: Route] = [
        eventsPath: .readEvents,
        eventsPath + "/": .readEvents,
        eventsPath + "/count": .countEvents,
        eventsPath + "/last": .readLastEvent,
        eventsPath + "/stream": .followChanges,
        "/wsapi/ping": .ping,
        "/livez": .isAlive,
        "/readyz": .isReady,
        "/openapi.json": .describe,
    ]
}
