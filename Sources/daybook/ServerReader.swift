import AsyncHTTPClient
import LogEngine
import NIOCore

/// Prints the events of a server.
struct ServerReader {
    private let server: ServerAddress
    private let console: Console

    init(_ server: ServerAddress, _ console: Console) {
        self.server = server
        self.console = console
    }

    /// A limit beyond a page is read page by page; together they are one snapshot (SPEC G3).
    func read(_ request: ScanRequest, _ format: EventFormat) async throws {
        var query = ServerQuery(request, format)
        var rest = request.limit ?? .max
        var joiner = RowJoiner()
        try await withClient { client in
            repeat {
                query.limit = request.limit.map { _ in min(rest, Bounds.pageLines) }
                joiner.beginPage()
                let answer = try await ServerAnswer.begin(query, from: server, client)
                let end = try await answer.read { piece in
                    switch format {
                    case .ndjson: try console.write(piece)
                    case .rows: try joiner.write(piece, to: console)
                    }
                }
                rest -= end.count
                query.cursor = end.cursor
            } while request.limit != nil && rest > 0 && query.cursor != nil
            if format == .rows { try joiner.finish(to: console) }
        }
    }

    /// Prints events in order of arrival, then those that come until the server ends the answer.
    func follow(_ request: ScanRequest) async throws {
        var query = ServerQuery(request, .ndjson)
        query.follows = true
        try await withClient { client in
            _ = try await ServerAnswer.begin(query, from: server, client).read { piece in
                try console.write(piece)
                try console.flush()
            }
        }
        throw CommandFailure(.unavailable, "\(server.url): the server has ended the answer")
    }

    private func withClient(_ body: (HTTPClient) async throws -> Void) async throws {
        let client = server.client()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        try result.get()
    }
}

/// What is asked of `GET /wsapi/interaction_data`.
struct ServerQuery {
    private let request: ScanRequest
    private let format: EventFormat
    var limit: Int?
    var cursor: String?
    var follows = false

    init(_ request: ScanRequest, _ format: EventFormat) {
        self.request = request
        self.format = format
    }

    func url(at server: ServerAddress) -> String {
        var parameters = ["order=\(request.order.rawValue)"]
        if request.range.lowerBound > 0 { parameters.append("start=\(request.range.lowerBound)") }
        if request.range.upperBound < .max { parameters.append("end=\(request.range.upperBound)") }
        if let limit { parameters.append("limit=\(limit)") }
        if let cursor { parameters.append("cursor=\(cursor)") }
        if follows { parameters.append("follow=true") }
        return server.events + "?" + parameters.joined(separator: "&")
    }

    var mediaType: String { format == .rows ? "application/json" : "application/x-ndjson" }
}

/// Joins the arrays of several pages into one: their brackets are taken off, and put around the whole.
struct RowJoiner {
    private static let closing = 2  // "]" and LF
    private var held: [UInt8] = []
    private var isAtOpening = true
    private var isFirstOfPage = true
    private var isEmpty = true

    mutating func beginPage() {
        held = []
        isAtOpening = true
        isFirstOfPage = true
    }

    mutating func write(_ piece: UnsafeRawBufferPointer, to console: Console) throws {
        var rest = piece[...]
        if isAtOpening, !rest.isEmpty {
            rest = rest.dropFirst()
            isAtOpening = false
        }
        let ready = held.count + rest.count - Self.closing
        guard ready > 0 else {
            held += rest
            return
        }
        if isFirstOfPage { try console.write(isEmpty ? "[" : ",\n") }
        (isFirstOfPage, isEmpty) = (false, false)
        let fromHeld = min(ready, held.count)
        try held.withUnsafeBytes { try console.write(UnsafeRawBufferPointer(rebasing: $0.prefix(fromHeld))) }
        try console.write(UnsafeRawBufferPointer(rebasing: rest.prefix(ready - fromHeld)))
        held = Array(held.dropFirst(fromHeld)) + rest.dropFirst(ready - fromHeld)
    }

    func finish(to console: Console) throws { try console.write(isEmpty ? "[]\n" : "]\n") }
}
