import Glibc
import LogEngine
import TestSupport

@testable import WebAPI

/// A server on HTTPS with an authority and certificates of its own.
struct SecureServer {
    let server: TestServer
    let authority: TestAuthority
    /// Where the server's files are.
    let directory: String
    let notes: Notes

    /// - Parameters:
    ///   - clients: vouches for clients; `nil`: they are not asked for a certificate.
    static func run(
        clients: TestAuthority? = nil, _ clientAuth: TLSOptions.ClientAuth = .required,
        limits: ConnectionLimits = .patient, rules: AccessRules? = nil, _ body: (SecureServer) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        let path = directory.path
        try authority.issue("server").write(to: path)
        if let clients { _ = try directory.write(clients.certificate, to: "clients.pem") }
        let notes = Notes()
        var options = Server.Options(host: "127.0.0.1", port: 0)
        options.listener.tls = .test(in: path)
        options.listener.tls?.authorityPath = clients.map { _ in "\(path)/clients.pem" }
        options.listener.tls?.clientAuth = clientAuth
        options.listener.connections = limits
        options.access.rules = rules
        options.listener.note = { notes.take($0) }
        try await TestServer.run(options) { server in
            try await body(SecureServer(server: server, authority: authority, directory: path, notes: notes))
        }
    }

    func client(
        as identity: TestAuthority.Identity? = nil, _ version: SecureClient.Version = .http2,
        tls: ClosedRange<Int> = 2...3
    ) async throws -> SecureClient {
        try await SecureClient(server.port, trusting: authority, as: identity, version, tls: tls)
    }
}

extension TLSOptions {
    static func test(in directory: String) -> TLSOptions {
        TLSOptions(certificatePath: "\(directory)/server.pem", keyPath: "\(directory)/server.key")
    }
}

extension TestAuthority.Identity {
    /// As `server.pem` and `server.key`, the key for its owner alone.
    func write(to directory: String) throws {
        try WholeFile.write(Array(certificate.utf8), to: "\(directory)/server.pem")
        try WholeFile.write(Array(key.utf8), to: "\(directory)/server.key")
        chmod("\(directory)/server.key", 0o600)
    }
}
