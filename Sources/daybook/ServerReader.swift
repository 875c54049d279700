import AsyncHTTPClient
import LogEngine
import NIOCore
import SegmentFormat

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
                    if format == .rows {
                        try joiner.write(piece, to: console)
                    } else {
                        try console.write(piece)
                    }
                    return format == .lz4 ? nil : piece.lineFeeds
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
                return piece.lineFeeds
            }
        }
        throw ended
    }

    /// Prints what came behind an event, `nil` for what comes from now on, until the server ends the answer.
    func followChanges(after start: (store: StoreID?, sequence: Sequence)?) async throws {
        let query = ChangeQuery(since: start?.sequence)
        var changes = ChangeLines(from: server, of: start?.store)
        try await withClient { client in
            _ = try await ServerAnswer.begin(query, from: server, client).read { piece in
                let count = try changes.write(piece, to: console)
                try console.flush()
                return count
            }
        }
        throw ended
    }

    private var ended: CommandFailure {
        CommandFailure(.unavailable, "\(server.url): the server has ended the answer")
    }

    private func withClient(_ body: (HTTPClient) async throws -> Void) async throws {
        let client = try server.client()
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

/// What is asked of a server.
protocol ServerRequest {
    var mediaType: String { get }
    func url(at server: ServerAddress) -> String
}

/// What is asked of `GET /wsapi/interaction_data/stream`.
struct ChangeQuery: ServerRequest {
    let since: Sequence?
    let mediaType = "application/json"

    func url(at server: ServerAddress) -> String {
        "\(server.events)/stream" + (since.map { "?since=\($0.value)" } ?? "")
    }
}

/// What is asked of `GET /wsapi/interaction_data`.
struct ServerQuery: ServerRequest {
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

    var mediaType: String {
        switch format {
        case .ndjson: "application/x-ndjson"
        case .rows: "application/json"
        case .lz4: "application/x-lz4"
        }
    }
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
