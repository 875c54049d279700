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
    /// PEM files; key and certificate go together.
    public var certificatePath: String?
    public var keyPath: String?
    /// Who vouches for the servers, instead of the system's own authorities.
    public var authorityPath: String?
    /// An answer that takes longer is given up.
    public var answerLimit = Duration.seconds(30)

    public init() {}
}

/// Sends batches to storage servers, over connections that are kept.
struct StorageClient: Sendable {
    private static let path = "/wsapi/interaction_data"
    private static let answerBytes = 64 << 10

    private let client: HTTPClient
    private let options: StorageOptions

    /// - Throws: where a certificate or key cannot be used.
    init(_ options: StorageOptions) throws {
        self.options = options
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = try Self.tls(options)
        configuration.httpVersion = .http1Only
        // The forwarder has its own pauses.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(60)
        configuration.timeout.connect = .seconds(5)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async throws { try await client.shutdown() }

    private static func tls(_ options: StorageOptions) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let path = options.authorityPath { tls.trustRoots = .file(path) }
        if let path = options.certificatePath {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
        }
        if let path = options.keyPath { tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem)) }
        return tls
    }

    func send(_ shipment: Shipment, _ content: SpoolReader.Content, from source: String) async -> ShipmentAnswer {
        let request = request(shipment, content, from: source)
        let limit = options.answerLimit.components.seconds
        let answer: HTTPClientResponse
        do {
            answer = try await client.execute(request, timeout: .seconds(limit))
        } catch {
            let reason = Self.words(error)
            return Self.isNeverSent(error) ? .refused(.init(.server, reason)) : .unknown(reason: reason)
        }
        let status = answer.status.code
        let body: ByteBuffer
        do {
            body = try await answer.body.collect(upTo: Self.answerBytes)
        } catch {
            // The status alone says what became of the batch.
            return self.answer(status, ByteBuffer(), answer.headers.first(name: "retry-after"))
        }
        return self.answer(status, body, answer.headers.first(name: "retry-after"))
    }

    private func request(
        _ shipment: Shipment, _ content: SpoolReader.Content, from source: String
    ) -> HTTPClientRequest {
        let base = shipment.binding.server.text
        var request = HTTPClientRequest(url: base + Self.path)
        request.method = .POST
        if let token = options.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        switch options.dialect {
        case .ndjson:
            let (epoch, number) = (shipment.binding.epoch.hex, shipment.binding.number)
            request.headers.add(name: "content-type", value: "application/x-ndjson")
            request.headers.add(name: "daybook-delivery", value: "\(source)/\(epoch)/\(number)")
            if options.coding == .lz4 {
                request.headers.add(name: "content-encoding", value: "lz4")
                request.body = .bytes(ByteBuffer(bytes: content.withUnsafeBytes { LZ4Frame.encode($0) }))
            } else {
                request.body = .bytes(ByteBuffer(bytes: content))
            }
        case .form:
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(bytes: FormBody.of(content)))
        }
        return request
    }

    // MARK: - Answers

    /// What a status says of the batch. Where the server may have stored it and then failed, nobody knows.
    private func answer(_ status: UInt, _ body: ByteBuffer, _ retryAfter: String?) -> ShipmentAnswer {
        let reason = Self.reason(status, body)
        let pause = retryAfter.flatMap { Int64($0) }.map { min(max($0, 0), 86_400) * 1_000 }
        switch status {
        case 201: return .stored(options.dialect == .ndjson ? Self.receipt(body) : nil)
        case 400, 411, 413, 415, 422:
            return .refused(.init(.batch, reason, retryAfterMilliseconds: pause))
        case 401, 402, 403, 404, 405, 406, 407, 408, 410, 417, 421, 426, 428, 429, 431, 507:
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

    /// No byte of the request can have reached the server.
    private static func isNeverSent(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError, is NIOSSLError, is SocketAddressError.UnknownHost: true
        case ChannelError.connectTimeout: true
        case let error as HTTPClientError:
            error == .connectTimeout || error == .tlsHandshakeTimeout || error == .getConnectionFromPoolTimeout
                || error == .invalidURL || error == .emptyHost
        default: false
        }
    }

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
