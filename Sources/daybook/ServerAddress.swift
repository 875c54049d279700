import AsyncHTTPClient
import FoundationEssentials
import WebAPI

/// Where a server is, as `--url` names it.
struct ServerAddress: Equatable, Sendable {
    private static let path = "/wsapi/interaction_data"

    let url: String
    var tls = ClientTLS()

    init(url: String) throws {
        guard let scheme = ["http://", "https://"].first(where: { url.hasPrefix($0) }), url.utf8.count > scheme.count
        else { throw Fault() }
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    private struct Fault: Error, CustomStringConvertible {
        let description = "a server's URL starts with http:// or https://"
    }

    /// Where events are posted and read.
    var events: String { url + Self.path }

    /// That nothing was answered, for a person.
    func unreachable(_ error: any Error) -> String { "cannot reach \(url): \(plainWords(error))" }

    var isSecure: Bool { url.hasPrefix("https://") }

    /// A client that does not try connections again: who uses it does, or tells the user. Throws where the files of
    /// `tls` cannot be used.
    func client() throws(TLSFault) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = try tls.configuration()
        // A stream of changes and a batch want a connection each.
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}

/// What a server says where it refuses (RFC 9457).
struct ServerProblem: Decodable {
    let reason: String?
    let detail: String?
    let line: Int?
    let offset: Int?

    /// `nil` for any other body.
    init?(_ body: some Collection<UInt8>) {
        guard let problem = try? JSONDecoder().decode(ServerProblem.self, from: Data(body)) else { return nil }
        self = problem
    }
}
