import TestSupport
import Testing

@testable import WebAPI

/// AC3 and AC5, with real certificates.
@Suite("names of certificates and an acl")
struct CertificateAccessTests {
    private static let count = "/wsapi/interaction_data/count"

    private static func run(_ body: (SecureServer, TestAuthority) async throws -> Void) async throws {
        let clients = try TestAuthority("clients")
        let rules = try AccessRules([
            AccessEntry(path: "/wsapi/interaction_data(/.*)?", commonName: "reporter-[0-9]+"),
            AccessEntry(path: "/wsapi/interaction_data", commonName: "web"),
        ])
        try await SecureServer.run(clients: clients, .optional, rules: rules) { try await body($0, clients) }
    }

    @Test("the whole name counts, and nothing that a client says beside it", arguments: SecureClient.Version.allCases)
    func names(version: SecureClient.Version) async throws {
        try await Self.run { secure, clients in
            func status(_ names: [String], _ fields: [(String, String)] = []) async throws -> Int {
                let identity: TestAuthority.Identity =
                    switch names.count {
                    case 0: try clients.issue()
                    case 1: try clients.issue(names[0])
                    default: try clients.issue(names[0], names[1])
                    }
                return try await secure.client(as: identity, version).ask(TestRequest("GET", Self.count, fields)).status
            }
            #expect(try await status(["reporter-7"]) == 200)
            for names in [
                ["xreporter-7"], ["reporter-7x"], ["reporter-"], ["REPORTER-7"], ["reporter-7\n"], ["web"], [""], [],
                ["reporter-7", "reporter-8"], ["nobody", "reporter-7"],
            ] { #expect(try await status(names) == 403, "\(names)") }
            let forged = [("x-remote-user", "reporter-7"), ("x-ssl-client-cn", "reporter-7"), ("from", "reporter-7")]
            #expect(try await status(["nobody"], forged) == 403)
            let anonymous = try await secure.client(version).ask(TestRequest("GET", Self.count, forged))
            #expect(anonymous.status == 403)
            #expect(secure.server.counters.refused["not_allowed"]?.requests == 12)
        }
    }

    @Test(
        "what a name may do holds as before after the certificates were loaded again",
        arguments: SecureClient.Version.allCases)
    func reload(version: SecureClient.Version) async throws {
        try await Self.run { secure, clients in
            let reader = try clients.issue("reporter-1")
            let old = try await secure.client(as: reader, .http2)
            #expect(try await old.get(Self.count).status == 200)
            let others = try TestAuthority("others")
            try WholeFile.write(Array(others.certificate.utf8), to: "\(secure.directory)/clients.pem")
            try await secure.server.reloadCertificates()
            #expect(try await secure.client(as: others.issue("reporter-2"), version).get(Self.count).status == 200)
            #expect(try await secure.client(as: others.issue("nobody"), version).get(Self.count).status == 403)
            // Who was vouched for by the authority before is let in no more, but keeps the connection that it has.
            await #expect(throws: (any Error).self) {
                try await secure.client(as: reader, version).get(Self.count)
            }
            #expect(try await old.get(Self.count).status == 200)
        }
    }
}
