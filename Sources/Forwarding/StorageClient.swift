import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL
import SegmentFormat

/// How storage servers are spoken to.
public struct StorageOptions: Sendable {
    public enum Dialect: String, CaseIterable, Sendable {
        /// NDJSON with the name of the batch, so that a repeat is known.
        case ndjson
        /// The field `data` of a form, for servers that are not ours: they do not know a repeat.
        case form
    }

    public enum Coding: String, CaseIterable, Sendable {
        case plain
        case lz4
    }

    public var dialect = Dialect.ndjson
    public var coding = Coding.lz4
    /// Sent as `Authorization: Bearer`.
    public var token: String?
    /// The certificate that is shown, and who vouches for the servers.
    public var tls = TLSConfiguration.makeClientConfiguration()
    /// An answer that takes longer is given up.
    public var answerLimit = Duration.seconds(30)
    /// So is a connection that does not come about.
    public var connectLimit = Duration.seconds(5)

    public init() {}
}

/// Sends batches to storage servers, over connections that are kept.
struct StorageClient: Sendable {
    private static let path = "/wsapi/interaction_data"
    private static let answerBytes = 64 << 10

    private let client: HTTPClient
    private let options: StorageOptions

    init(_ options: StorageOptions) {
        self.options = options
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = options.tls
        configuration.httpVersion = .http1Only
        // Where a batch goes is on record, and what another place says tells nothing of it.
        configuration.redirectConfiguration = .disallow
        // The forwarder has its own pauses.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(60)
        configuration.timeout.connect = TimeAmount(options.connectLimit)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async throws { try await client.shutdown() }

    func send(_ shipment: Shipment, _ content: SpoolReader.Content, from source: String) async -> ShipmentAnswer {
        let body = WatchedBody(body(of: content))
        let request = request(shipment, body, from: source)
        let answer: HTTPClientResponse
        do {
            answer = try await client.execute(request, timeout: .seconds(options.answerLimit.components.seconds))
        } catch {
            let reason = Self.words(error)
            return body.wasTaken ? .unknown(reason: reason) : .refused(.init(.server, reason))
        }
        let status = answer.status.code
        let text: ByteBuffer
        do {
            text = try await answer.body.collect(upTo: Self.answerBytes)
        } catch {
            // The status alone says what became of the batch.
            return meaning(of: status, ByteBuffer(), answer.headers.first(name: "retry-after"))
        }
        return meaning(of: status, text, answer.headers.first(name: "retry-after"))
    }

    private func body(of content: SpoolReader.Content) -> ByteBuffer {
        switch (options.dialect, options.coding) {
        case (.form, _): ByteBuffer(bytes: FormBody.of(content))
        case (.ndjson, .plain): ByteBuffer(bytes: content)
        case (.ndjson, .lz4): ByteBuffer(bytes: content.withUnsafeBytes { LZ4Frame.encode($0) })
        }
    }

    private func request(_ shipment: Shipment, _ body: WatchedBody, from source: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: shipment.binding.server.text + Self.path)
        request.method = .POST
        request.body = .stream(body, length: .known(Int64(body.content.readableBytes)))
        if let token = options.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        guard options.dialect == .ndjson else {
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            return request
        }
        let (epoch, number) = (shipment.binding.epoch.hex, shipment.binding.number)
        request.headers.add(name: "content-type", value: "application/x-ndjson")
        request.headers.add(name: "daybook-delivery", value: "\(source)/\(epoch)/\(number)")
        if options.coding == .lz4 { request.headers.add(name: "content-encoding", value: "lz4") }
        return request
    }

    // MARK: - Answers

    /// What a status says of the batch. Where the server may have stored it and then failed, nobody knows.
    func meaning(of status: UInt, _ body: ByteBuffer, _ retryAfter: String?) -> ShipmentAnswer {
        let reason = Self.reason(status, body)
        let pause = retryAfter.flatMap { Int64($0) }.map { min(max($0, 0), 86_400) * 1_000 }
        switch status {
        case 201: return .stored(options.dialect == .ndjson ? Self.receipt(body) : nil)
        case 400, 411, 413, 415, 422:
            return .refused(.init(.batch, reason, retryAfterMilliseconds: pause))
        case 400...499, 507:
            return .refused(.init(.server, reason, retryAfterMilliseconds: pause))
        case 503 where Self.problem(body)?.reason == "busy":
            return .refused(.init(.server, reason, retryAfterMilliseconds: pause))
        default: return .unknown(reason: reason)
        }
    }

    private struct Receipt: Decodable {
        let accepted: Int
        let discarded: Int
    }

    private struct Problem: Decodable {
        let reason: String?
        let detail: String?
    }

    private static func receipt(_ body: ByteBuffer) -> ShipmentAnswer.Receipt? {
        (try? JSONDecoder().decode(Receipt.self, from: Data(body.readableBytesView)))
            .map { .init(accepted: $0.accepted, discarded: $0.discarded) }
    }

    private static func problem(_ body: ByteBuffer) -> Problem? {
        try? JSONDecoder().decode(Problem.self, from: Data(body.readableBytesView))
    }

    private static func reason(_ status: UInt, _ body: ByteBuffer) -> String {
        let detail = problem(body)?.detail.map { ": \($0)" } ?? ""
        return "it answers \(status)\(detail)"
    }

    // MARK: - Failures

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return words(first.error) }
            return "there is no address to connect to"
        case let error as IOError: return String(cString: strerror(error.errnoCode)).lowercased()
        case let error as HTTPClientError: return error.shortDescription.lowercased()
        default: return "\(error)"
        }
    }
}
