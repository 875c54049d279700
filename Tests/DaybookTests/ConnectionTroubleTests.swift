import AsyncHTTPClient
import Glibc
import NIOCore
import TestSupport
import Testing

@testable import daybook

@Suite("why a connection failed")
struct ConnectionTroubleTests {
    @Test(
        "in words",
        arguments: [
            (IOError(errnoCode: ECONNRESET, reason: "read"), "connection reset by peer"),
            (HTTPClientError.connectTimeout, "it does not answer"),
            (HTTPClientError.deadlineExceeded, "it took too long to answer"),
            (HTTPClientError.remoteConnectionClosed, "it has closed the connection"),
            (HTTPClientError.emptyHost, "this is no URL of a server"),
            (HTTPClientError.tlsHandshakeTimeout, "tls handshake timeout"),
        ] as [(any Error, String)])
    func words(error: any Error, words: String) {
        #expect(plainWords(error) == words)
    }

    @Test("of a server that hangs up")
    func closed() async throws {
        let server = try CannedServer(answering: "")
        let run = try await CommandRun("read", "--url", server.url)
        #expect(run.status == 69)
        #expect(run.talk == "daybook: cannot reach \(server.url): it has closed the connection\n")
    }
}
