import AsyncHTTPClient
import NIOCore
import SegmentFormat

/// An answer of a server, which is believed once its trailer bears it out.
struct ServerAnswer {
    /// What the trailer says.
    struct End {
        let count: Int
        /// Where the next page begins.
        let cursor: String?
    }

    private static let problemBytes = 1 << 20

    private let url: String
    private let response: HTTPClientResponse

    static func begin(_ query: some ServerRequest, from server: ServerAddress, _ client: HTTPClient) async throws
        -> Self
    {
        var request = HTTPClientRequest(url: query.url(at: server))
        request.headers.add(name: "accept", value: query.mediaType)
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, deadline: .distantFuture)
        } catch {
            throw CommandFailure(.unavailable, server.unreachable(error))
        }
        guard response.status == .ok else { throw try await refusal(response, server) }
        return ServerAnswer(url: server.url, response: response)
    }

    private static func refusal(_ response: HTTPClientResponse, _ server: ServerAddress) async throws -> CommandFailure
    {
        let body = try await response.body.collect(upTo: problemBytes)
        let detail = ServerProblem(body.readableBytesView)?.detail.map { ": \($0)" } ?? ""
        let status: ExitStatus =
            switch response.status {
            case .badRequest: .usage
            case .gone: .data
            default: .unavailable
            }
        return CommandFailure(status, "\(server.url): the server answers \(response.status.code)\(detail)")
    }

    /// Hands on the body piece by piece; fails with 69 where it was cut short on its way, and with 65 where the
    /// server could not read all of it.
    /// - Parameter body: returns the events that ended in the piece, `nil` where they cannot be counted: then the
    ///   hash alone says that all came.
    func read(_ body: (UnsafeRawBufferPointer) throws -> Int?) async throws -> End {
        let hash = RunningHash()
        var bytes = 0
        var events: Int? = 0
        do {
            for try await piece in response.body {
                try piece.withUnsafeReadableBytes { piece in
                    hash.update(piece)
                    bytes += piece.count
                    let ended = try body(piece)
                    events = events.flatMap { sum in ended.map { sum + $0 } }
                }
            }
        } catch let closed as ClosedPipe {
            throw closed
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw cutShort(plainWords(error))
        }
        // An array without rows is the only answer with a line that is no event.
        return try check(counted: bytes == 3 ? 0 : events, hash)
    }

    private func check(counted: Int?, _ hash: RunningHash) throws -> End {
        guard let trailer = response.body.trailers, let isComplete = trailer.first(name: "daybook-complete") else {
            throw cutShort("it has no trailer")
        }
        guard let count = trailer.first(name: "daybook-count").flatMap({ Int($0) }), counted ?? max(count, 0) == count,
            trailer.first(name: "daybook-xxh3") == hash.wide.hex
        else { throw cutShort("its count or its hash is not that of what came") }
        guard isComplete == "true" else {
            throw CommandFailure(.data, "\(url): some events could not be read by the server")
        }
        return End(count: count, cursor: trailer.first(name: "daybook-cursor"))
    }

    private func cutShort(_ reason: String) -> CommandFailure {
        CommandFailure(.unavailable, "\(url): the answer was cut short: \(reason)")
    }
}
