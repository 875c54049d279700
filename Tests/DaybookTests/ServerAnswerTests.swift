import SegmentFormat
import TestSupport
import Testing

@testable import daybook

@Suite("an answer is believed once its trailer bears it out")
struct ServerAnswerTests {
    private static let body = #"{"timestamp":1361407200000}"# + "\n"
    private static let hash = Array(body.utf8).withUnsafeBytes { xxh3Wide($0) }

    private static func trailer(count: Int = 1, hash: UInt64 = hash.high, complete: String = "true") -> String {
        "Daybook-Count: \(count)\r\nDaybook-XXH3: \(hash.hex)\(Self.hash.low.hex)\r\n"
            + "Daybook-Complete: \(complete)\r\n"
    }

    private static func answer(_ trailer: String) -> String {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\(trailer)\r\n"
    }

    private static let whole = answer(trailer())

    @Test(
        "cut short is 69, incomplete 65",
        arguments: [
            (whole, 0, ""), (answer(trailer(complete: "false")), 65, "some events could not be read by the server"),
            (answer(""), 69, "the answer was cut short: it has no trailer"),
            (answer(trailer(count: 2)), 69, "the answer was cut short: its count or its hash is not that of what came"),
            (answer(trailer(hash: 1)), 69, "the answer was cut short: its count or its hash is not that of what came"),
            (
                String(decoding: whole.utf8.dropLast(trailer().utf8.count + 5), as: UTF8.self), 69,
                "the answer was cut short: "
            ),
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 69, "the server answers 503"),
            (
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 18\r\n\r\n" + #"{"detail":"wrong"}"#, 64,
                "the server answers 400: wrong"
            ),
            ("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 65, "the server answers 410"),
        ] as [(String, Int32, String)])
    func checked(answer: String, status: Int32, message: String) async throws {
        let server = try CannedServer(answering: answer)
        let run = try await CommandRun("read", "--url", server.url)
        #expect(run.status == status)
        #expect(run.talk.hasPrefix(status == 0 ? "" : "daybook: \(server.url): \(message)"), "\(run.talk)")
        #expect(run.talk.isEmpty == (status == 0))
        if answer.hasPrefix("HTTP/1.1 200") { #expect(run.output == Self.body) }
    }

    @Test("of frames, whose events nobody counts here, there are none or some", arguments: [(0, 0), (1, 0), (-1, 69)])
    func countOfFrames(count: Int, status: Int32) async throws {
        let server = try CannedServer(answering: Self.answer(Self.trailer(count: count)))
        let run = try await CommandRun("read", "--format", "lz4", "--order", "arrival", "--url", server.url)
        #expect(run.status == status, "\(run.talk)")
    }
}
