import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import daybook

@Suite("changes that a server tells")
struct ChangeLineTests {
    private static let store = StoreID(0xAB)
    private static let event = #"{"timestamp":1361407200000,"n":"}],\"doc\":"}"#

    private static func change(_ event: String = event, revision: String? = nil) -> String {
        let revision = revision ?? Array(event.utf8).withUnsafeBytes { xxh3($0).hex }
        let id = EventID(store: store, sequence: Sequence(7))
        return #"{"seq":7,"id":"\#(id)","changes":[{"rev":"1-\#(revision)"}],"doc":\#(event)}"# + "\r\n"
    }

    private static func answer(_ body: String, count: Int) -> String {
        let hash = Array(body.utf8).withUnsafeBytes { xxh3Wide($0) }
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\nDaybook-Count: \(count)\r\n"
            + "Daybook-XXH3: \(hash.hex)\r\nDaybook-Complete: true\r\n\r\n"
    }

    private func tail(_ answer: String, since: String = "6") async throws -> (run: CommandRun, url: String) {
        let server = try CannedServer(answering: answer)
        return (try await CommandRun("tail", "-f", "--since", since, "--url", server.url), server.url)
    }

    @Test("the stored line of each is printed, heartbeats are not, and neither is counted wrong")
    func lines() async throws {
        let body = "\r\n" + Self.change() + "\r\n\r\n" + Self.change(#"{"timestamp":2}"#)
        let (run, url) = try await tail(Self.answer(body, count: 2))
        #expect(run.status == 69)
        #expect(run.output == Self.event + "\n" + #"{"timestamp":2}"# + "\n")
        #expect(run.talk == "daybook: \(url): the server has ended the answer\n")
        #expect(try await tail(Self.answer(body, count: 3)).run.talk.contains("cut short"))
    }

    @Test(
        "what is no change, or not the event of its revision, is not printed",
        arguments: [
            change(revision: "0000000000000000"), "{}\r\n", "\n", event + "\r\n",
            String(change().dropLast()) + "\n", String(repeating: "x", count: 2 << 20),
        ].filter { $0 != change() })
    func foreign(body: String) async throws {
        let (run, url) = try await tail(Self.answer(body, count: 1))
        #expect(run.status == 69 && run.output.isEmpty)
        #expect(run.talk == "daybook: \(url): the server's answer is not one of Daybook's\n")
    }

    @Test("an event of another store is a mistake, and one that was purged is told")
    func otherStore() async throws {
        let other = EventID(store: StoreID(0xAC), sequence: Sequence(6)).description
        let (run, url) = try await tail(Self.answer(Self.change(), count: 1), since: other)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(run.talk == "daybook: \(url): the event of --since is one of another store\n")
        let problem = #"{"detail":"events behind this sequence were purged"}"#
        let gone = try await tail("HTTP/1.1 410 Gone\r\nContent-Length: \(problem.utf8.count)\r\n\r\n" + problem)
        #expect(gone.run.status == 65)
        #expect(gone.run.talk.hasSuffix("the server answers 410: events behind this sequence were purged\n"))
    }
}
