import HummingbirdCore
import LogEngine
import NIOCore
import NIOSSL
import ServiceLifecycle
import TestSupport
import Testing

@testable import WebAPI

/// SPEC L2.
@Suite("client certificates")
struct ClientCertificateTests {
    /// Where a client is refused: its own handshake ends before the server has looked at its certificate (TLS 1.3).
    private func isServed(_ secure: SecureServer, _ identity: TestAuthority.Identity?) async -> Bool {
        do {
            return try await secure.client(as: identity).get("/wsapi/ping").text == "pong"
        } catch {
            return false
        }
    }

    @Test("with an authority, who comes without a certificate or with one that it does not vouch for is refused")
    func required() async throws {
        let clients = try TestAuthority("clients")
        try await SecureServer.run(clients: clients) { secure in
            let refused = [
                nil, try TestAuthority("clients").issue("writer"), try secure.authority.issue("writer"),
                try clients.issue("writer", hours: -2...(-1)), try clients.issue("writer", hours: 1...2),
            ]
            for identity in refused { #expect(await !isServed(secure, identity)) }
            let good = try clients.issue("writer")
            #expect(await isServed(secure, good))
            #expect(secure.server.counters.refused["handshake_failed"]?.requests == 5)
        }
    }

    @Test("optional: without one a client is served, with one that nobody vouches for it is not")
    func optional() async throws {
        let clients = try TestAuthority("clients")
        try await SecureServer.run(clients: clients, .optional) { secure in
            let (good, unknown) = (try clients.issue("writer"), try TestAuthority("clients").issue("writer"))
            #expect(await isServed(secure, nil))
            #expect(await isServed(secure, good))
            #expect(await !isServed(secure, unknown))
        }
    }

    @Test("handlers learn address and CommonName of who asks", arguments: SecureClient.Version.allCases)
    func peer(version: SecureClient.Version) async throws {
        let clients = try TestAuthority("clients")
        try await SecureServer.run(clients: clients, .optional) { secure in
            let directory = secure.directory
            var options = TLSOptions.test(in: directory)
            (options.authorityPath, options.clientAuth) = ("\(directory)/clients.pem", .optional)
            try await PeerServer.run(try ServerCertificates(options, note: { _ in })) { port in
                for (identity, name) in [(try clients.issue("writer 1"), "writer 1"), (nil, "-")] {
                    let client = try await SecureClient(port, trusting: secure.authority, as: identity, version)
                    #expect(try await client.get("/").text == "127.0.0.1 \(name)")
                }
            }
        }
    }

    @Test(
        "a subject with one CommonName has it; none or several name nobody",
        arguments: [
            (["writer"], "writer"), (["Jürgen, O=x"], "Jürgen, O=x"), ([""], ""), ([], nil),
            (["reader", "writer"], nil),
        ] as [([String], String?)])
    func commonNames(names: [String], expected: String?) throws {
        let authority = try TestAuthority()
        let identity =
            switch names.count {
            case 0: try authority.issue()
            case 1: try authority.issue(names[0])
            default: try authority.issue(names[0], names[1])
            }
        let certificate = try #require(try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8)).first)
        #expect(Peer.commonName(certificate: try certificate.toDERBytes()) == expected)
    }
}

/// A listener like a server's that answers who asks.
private struct PeerServer: Service {
    let service: ListenerService
    let certificates: ServerCertificates

    static func run(_ certificates: ServerCertificates, _ body: (Int) async throws -> Void) async throws {
        let log = try EventLog.open("/data", options: LogOptions(), environment: TestEnvironment().on(VirtualDisk()))
        let options = ListenerOptions(host: "127.0.0.1", port: 0)
        try await RunningService.run { listening in
            let service = try ListenerService(log, options, .silent, onListening: listening)
            return PeerServer(service: service, certificates: certificates)
        } closing: {
            try await log.close()
        } _: { running in
            try await body(running.port)
        }
    }

    func run() async throws {
        try await service.run(threads: 1) { blocking, limits in
            let handler = RequestHandler(
                log: service.log, blocking: blocking, metrics: Metrics(of: service.log), logger: .silent,
                options: .loopback(), limits: limits)
            return Listener(
                counters: handler.counters, date: handler.date, streams: handler.streams,
                answerer: { SmallPostHandler(handler) },
                responder: { _, writer, channel in
                    let peer = try await RequestOrigin(channel).peer
                    let text = "\(peer.address?.ipAddress ?? "-") \(peer.certificateCommonName ?? "-")"
                    try await writer.write(
                        response: handler.head(.ok, [:]), body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
                }, ahead: nil, limits: limits, certificates: certificates)
        }
    }
}
