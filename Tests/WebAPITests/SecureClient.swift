import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOHTTPTypesHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import TestSupport

/// A client of HTTPS that knows what it speaks.
struct SecureClient: Sendable {
    typealias Exchange = NIOAsyncChannel<HTTPResponsePart, HTTPRequestPart>

    enum Version: String, CaseIterable, Sendable {
        case http1 = "http/1.1"
        case http2 = "h2"
    }

    private enum Negotiated: Sendable {
        case http1(Exchange)
        case http2(NIOHTTP2Handler.AsyncStreamMultiplexer<Void>)
    }

    let connection: any Channel
    private let negotiated: Negotiated

    /// - Parameter tls: the versions that it offers.
    init(
        _ port: Int, trusting authority: TestAuthority, as identity: TestAuthority.Identity? = nil,
        _ version: Version = .http2, tls: ClosedRange<Int> = 2...3
    ) async throws {
        let context = try Self.context(authority, identity, version, tls)
        let (connection, negotiated) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { result, channel in
                        Self.setUp(channel, result, version)
                    }
                    try pipeline.addHandler(negotiation)
                    return (channel, negotiation.protocolNegotiationResult)
                }
            }
        self.connection = connection
        self.negotiated = try await negotiated.get()
    }

    private static func context(
        _ authority: TestAuthority, _ identity: TestAuthority.Identity?, _ version: Version, _ tls: ClosedRange<Int>
    ) throws -> NIOSSLContext {
        let versions: [TLSVersion] = [.tlsv1, .tlsv11, .tlsv12, .tlsv13]
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8)))
        configuration.minimumTLSVersion = versions[tls.lowerBound]
        configuration.maximumTLSVersion = versions[tls.upperBound]
        configuration.applicationProtocols = [version.rawValue]
        if let identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func setUp(
        _ channel: any Channel, _ result: ALPNResult, _ version: Version
    ) -> EventLoopFuture<Negotiated> {
        channel.eventLoop.makeCompletedFuture {
            guard case .negotiated(version.rawValue) = result else { throw ConnectionEnded() }
            let pipeline = channel.pipeline.syncOperations
            switch version {
            case .http1:
                try pipeline.addHTTPClientHandlers()
                try pipeline.addHandler(HTTP1ToHTTPClientCodec())
                return .http1(try Exchange(wrappingChannelSynchronously: channel))
            case .http2:
                return .http2(
                    try pipeline.configureAsyncHTTP2Pipeline(mode: .client) { $0.eventLoop.makeSucceededVoidFuture() })
            }
        }
    }

    /// A stream of HTTP/2, or the connection of HTTP/1.1.
    private func exchange() async throws -> Exchange {
        switch negotiated {
        case .http1(let exchange): exchange
        case .http2(let streams):
            try await streams.openStream { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTPClientCodec())
                    return try Exchange(wrappingChannelSynchronously: stream)
                }
            }
        }
    }

    /// Sends a request, all of it or, with `ends` false, all but its end, and lets `body` read what is answered.
    func ask<Result: Sendable>(
        _ request: TestRequest, ends: Bool = true,
        _ body: @Sendable (inout NIOAsyncChannelInboundStream<HTTPResponsePart>.AsyncIterator) async throws -> Result
    ) async throws -> Result {
        try await exchange().executeThenClose { inbound, outbound in
            // All at once: an answer to the head alone may close the stream before the rest is written.
            var sent: [HTTPRequestPart] = [.head(request.head)]
            if let body = request.body { sent.append(.body(ByteBuffer(string: body))) }
            if ends { sent.append(.end(nil)) }
            try await outbound.write(contentsOf: sent)
            var parts = inbound.makeAsyncIterator()
            return try await body(&parts)
        }
    }

    func ask(_ request: TestRequest, ends: Bool = true) async throws -> Reply {
        try await ask(request, ends: ends) { parts in try await Reply(&parts) }
    }

    func get(_ target: String, accept: String = "application/x-ndjson") async throws -> Reply {
        try await ask(TestRequest("GET", target, [("accept", accept)]))
    }

    func close() async throws { try await connection.close() }
}

extension TestRequest {
    fileprivate var head: HTTPRequest {
        var head = HTTPRequest(
            method: HTTPRequest.Method(method) ?? .get, scheme: "https", authority: "localhost", path: target)
        for (name, value) in fields {
            HTTPField.Name(name).map { head.headerFields.append(HTTPField(name: $0, value: value)) }
        }
        if let body, !fields.contains(where: { $0.0 == "content-length" }) {
            head.headerFields[.contentLength] = String(body.utf8.count)
        }
        return head
    }
}

extension Reply {
    /// Reads an answer to its end.
    init(_ parts: inout NIOAsyncChannelInboundStream<HTTPResponsePart>.AsyncIterator) async throws {
        self.init()
        while let part = try await parts.next() {
            switch part {
            case .head(let head):
                if head.status.kind == .informational { continue }
                status = head.status.code
                fields = Self.fields(head.headerFields)
            case .body(let bytes): body += Array(bytes.readableBytesView)
            case .end(let fields):
                trailer = fields.map(Self.fields) ?? [:]
                return
            }
        }
        throw ConnectionEnded()
    }

    private static func fields(_ fields: HTTPFields) -> [String: String] {
        Dictionary(fields.map { ($0.name.canonicalName, $0.value) }) { $1 }
    }
}
