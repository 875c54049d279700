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
        let reading = try Self.reading(path)
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

    private static func reading(_ path: String) throws(Problem) -> Route {
        switch path {
        case eventsPath, "/wsapi/interaction_data/": .readEvents
        case "/wsapi/interaction_data/count": .countEvents
        case "/wsapi/interaction_data/last": .readLastEvent
        case "/wsapi/interaction_data/stream": .followChanges
        case "/wsapi/ping": .ping
        case "/livez": .isAlive
        case "/readyz": .isReady
        case "/openapi.json": .describe
        default: throw .notFound
        }
    }
}
