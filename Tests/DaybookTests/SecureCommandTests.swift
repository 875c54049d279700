import Glibc
import TestSupport
import Testing
import WebAPI

@testable import daybook

/// SPEC X3: `ingest`, `read` and `tail` of a server on HTTPS.
@Suite("commands and HTTPS")
struct SecureCommandTests {
    private static let events = """
        {"timestamp":1361407200000,"lang":"en"}
        {"timestamp":1361407200000,"lang":"de"}

        """

    /// A server that wants certificates of clients, and the files that its clients need: `ca.pem`, `client.pem`,
    /// `client.key`.
    private func serve(_ body: (String, String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let (servers, clients) = (try TestAuthority("servers"), try TestAuthority("clients"))
        let (server, client) = (try servers.issue("server"), try clients.issue("client"))
        for (name, text) in [
            ("ca.pem", servers.certificate), ("clients.pem", clients.certificate), ("server.pem", server.certificate),
            ("server.key", server.key), ("client.pem", client.certificate), ("client.key", client.key),
            ("events.ndjson", Self.events),
        ] {
            chmod(try directory.write(text, to: name), 0o600)
        }
        let path = directory.path
        let options = TLSOptions(
            certificatePath: "\(path)/server.pem", keyPath: "\(path)/server.key", authorityPath: "\(path)/clients.pem")
        try await withServer(options) { url, _ in try await body(url, path) }
    }

    private func arguments(_ path: String) -> [String] {
        ["--ca", "\(path)/ca.pem", "--cert", "\(path)/client.pem", "--key", "\(path)/client.key"]
    }

    @Test("what is ingested over HTTPS with a client certificate is read back so")
    func roundTrip() async throws {
        try await serve { url, path in
            let ingested = try await CommandRun(
                ["ingest", "\(path)/events.ndjson", "--url", url] + arguments(path))
            #expect(ingested.status == 0, "\(ingested.talk)")
            let read = try await CommandRun(["read", "--url", url] + arguments(path))
            #expect(read.status == 0 && read.output == Self.events, "\(read.talk)")
        }
    }

    @Test("a server that nobody whom we trust vouches for is 69, and gets nothing")
    func untrustedServer() async throws {
        try await serve { url, path in
            let read = try await CommandRun(["read", "--url", url, "--ca", "\(path)/clients.pem"])
            #expect(read.status == 69)
            #expect(read.talk == "daybook: cannot reach \(url): nobody whom we trust vouches for its certificate\n")
        }
    }

    @Test("without a certificate that the server wants it is 69")
    func noCertificate() async throws {
        try await serve { url, path in
            let read = try await CommandRun(["read", "--url", url, "--ca", "\(path)/ca.pem"])
            #expect(read.status == 69 && read.output.isEmpty, "\(read.talk)")
        }
    }

    @Test("files that cannot be used are named")
    func badFiles() async throws {
        try await serve { url, path in
            let missing = try await CommandRun(["read", "--url", url, "--ca", "\(path)/missing.pem"])
            #expect(missing.status == 66)
            #expect(missing.talk == "daybook: cannot read \(path)/missing.pem: no such file or directory\n")
            let wrong = try await CommandRun(["read", "--url", url, "--ca", "\(path)/events.ndjson"])
            #expect(wrong.status == 65)
            #expect(
                wrong.talk == "daybook: \(path)/events.ndjson: there is no certificate in PEM in it that can be read\n")
        }
    }
}
