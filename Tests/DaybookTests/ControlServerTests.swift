import Glibc
import LogEngine
import NIOCore
import TestSupport
import Testing

@testable import daybook

@Suite("control.sock")
struct ControlServerTests {
    private static let ready = "{\"protocol\": 1}\n"

    private static func refusal(_ reason: String, _ code: Int) -> String {
        "{\"talk\": \"daybook: \(reason)\\u000a\"}\n{\"exit\": \(code)}\n"
    }

    @Test("nobody but its owner may connect, from the first moment on")
    func mode() async throws {
        let directory = try TemporaryDirectory()
        let previous = umask(0)
        defer { umask(previous) }
        try await withControl(directory.path) { store async throws in
            var status = stat()
            #expect(stat(store.layout.controlSocket, &status) == 0)
            #expect(status.st_mode == S_IFSOCK | 0o600)
        }
    }

    @Test("only the server's own user and root run jobs")
    func peers() {
        #expect(Peer.mayRunJobs(998, server: 998))
        #expect(Peer.mayRunJobs(0, server: 998))
        #expect(!Peer.mayRunJobs(999, server: 998))
        #expect(!Peer.mayRunJobs(998, server: 0))
    }

    @Test("a stranger is told so, and the server tells of him; the user is who the kernel says")
    func stranger() async throws {
        let directory = try TemporaryDirectory()
        var options = ControlServer.Options.patient
        options.admits = { $0 != geteuid() }
        try await withControl(directory.path, options) { store async throws in
            let client = try store.connect()
            let reason = "the server takes jobs from its own user and from root alone"
            #expect(await client.lines() == Self.refusal(reason, 69))
            #expect(store.talk() == "\(store.layout.controlSocket): refused a job of user \(geteuid())\n")
        }
    }

    @Test(
        "what is no request is refused, and the next connection is served",
        arguments: [
            ("\n", "this is no request for a job", 64), ("{}\n", "this is no request for a job", 64),
            ("[1]\n{", "this is no request for a job", 64),
            (#"{"protocol":1,"arguments":"seal","terminal":false}"# + "\n", "this is no request for a job", 64),
            (
                #"{"protocol":2,"arguments":["seal"],"terminal":false}"# + "\n",
                "the server is of another version than this command; restart it", 69
            ),
            (
                #"{"protocol":1,"arguments":["stat","--json"],"terminal":false}"# + "\n",
                "'stat --json' is no job for a server", 64
            ),
            (String(repeating: "x", count: 65_537), "a request for a job has at most 65,536 bytes", 64),
        ])
    func malformed(request: String, reason: String, code: Int) async throws {
        let directory = try TemporaryDirectory()
        try await withControl(directory.path) { store async throws in
            let client = try store.connect()
            client.send(request)
            #expect(await client.lines() == Self.ready + Self.refusal(reason, code))
            #expect(try await store.client("seal").handOver(Console(SaidText())) == .ended(.success))
        }
    }

    @Test("a request may come in pieces, and what comes behind it is nothing")
    func pieces() async throws {
        let directory = try TemporaryDirectory()
        try await withControl(directory.path) { store async throws in
            let client = try store.connect()
            #expect(await client.lines(1) == Self.ready)
            for piece in [#"{"protocol":1,"argu"#, #"ments":["seal"],"terminal":true,"more":1}"#, "\nmore\n"] {
                client.send(piece)
            }
            #expect(await client.lines() == "{\"out\": \"nothing to seal\\u000a\"}\n{\"exit\": 0}\n")
        }
    }

    @Test("who sends no request in time is let go")
    func slow() async throws {
        let directory = try TemporaryDirectory()
        var options = ControlServer.Options.patient
        options.limits.requestTime = .milliseconds(20)
        try await withControl(directory.path, options) { store async throws in
            let client = try store.connect()
            client.send("{")
            #expect(await client.lines() == Self.ready + Self.refusal("no request came within 20 ms", 75))
        }
    }

    @Test("more connections than are served at once are told to come again, and places become free")
    func crowded() async throws {
        let directory = try TemporaryDirectory()
        var options = ControlServer.Options.patient
        options.limits.connections = 2
        try await withControl(directory.path, options) { store async throws in
            let clients = [try store.connect(), try store.connect()]
            for client in clients { #expect(await client.lines(1) == Self.ready) }
            let reason = "too many jobs are talking to the server; try again"
            let third = try store.connect()
            #expect(await third.lines() == Self.refusal(reason, 75))
            clients[0].send("\n")
            _ = await clients[0].lines()
            // The server hears of a connection's end after its client.
            var outcome: ControlClient.Outcome
            repeat {
                outcome = try await store.client("seal").handOver(Console(SaidText()))
            } while outcome == .ended(.temporary)
            #expect(outcome == .ended(.success))
        }
    }

    @Test("a request is read as it was written")
    func request() throws {
        let request = JobRequest(arguments: ["a \"b\"", "ü\n"], terminal: true)
        var line = request.line
        let whole = try #require(ControlLine.next(of: &line))
        #expect(try ControlLine.decoded(JobRequest.self, whole) == request)
        #expect(line.readableBytes == 0)
    }

    @Test("each reply is read as it was written")
    func replies() throws {
        for reply in [JobReply.ready(protocol: 1), .output("a\n\"ü\u{1}"), .talk("\r\u{1B}[K"), .exit(75)] {
            var line = reply.line
            let whole = try #require(ControlLine.next(of: &line))
            #expect(try ControlLine.decoded(JobReply.self, whole) == reply)
        }
    }
}

@Suite("clients of control.sock")
struct ControlClientTests {
    private static let ready = "{\"protocol\": 1}\n"

    private static func outcome(
        saying first: String, awaitingRequest: Bool, thenSaying rest: String, _ text: SaidText = SaidText()
    ) async throws -> ControlClient.Outcome {
        let directory = try TemporaryDirectory()
        let layout = Layout(data: directory.path, stream: .interactions)
        mkdir(layout.root, 0o700)
        _ = try CannedControl(
            at: layout.controlSocket, saying: first, awaitingRequest: awaitingRequest, thenSaying: rest)
        return try await ControlClient(layout: layout, arguments: ["seal"]).handOver(Console(text))
    }

    @Test("a connection that ends without an exit code leaves the outcome unknown, whatever came before")
    func cutOff() async throws {
        for rest in [
            "", "{\"out\": \"half\"}\n", "{\"exit\": 0}", "nonsense\n", "{\"exit\": 99}\n", "{\"exit\": -1}\n",
        ] {
            await #expect(
                throws: CommandFailure(
                    .unavailable, "the server ended the connection; whether the job was done is not known")
            ) {
                try await Self.outcome(saying: Self.ready, awaitingRequest: true, thenSaying: rest)
            }
        }
    }

    @Test("what comes is shown as it comes")
    func shown() async throws {
        let text = SaidText()
        let rest = "{\"out\": \"a\\n\"}\n{\"talk\": \"b\"}\n{\"out\": \"c\\n\"}\n{\"exit\": 7}\n{\"talk\": \"late\"}\n"
        let outcome = try await Self.outcome(saying: Self.ready, awaitingRequest: true, thenSaying: rest, text)
        #expect(outcome == .ended(.deferred))
        #expect(text.text == "a\nbc\n")
    }

    @Test("a server that ends before it is ready took no job")
    func notReady() async throws {
        let outcome = try await Self.outcome(saying: "", awaitingRequest: false, thenSaying: "")
        #expect(outcome == .nobody)
    }

    @Test("a server of another protocol is told of")
    func otherProtocol() async throws {
        await #expect(throws: CommandFailure(.otherProtocol)) {
            try await Self.outcome(saying: "{\"protocol\": 2}\n", awaitingRequest: false, thenSaying: "")
        }
    }

    @Test("nobody listens")
    func nobody() async throws {
        let directory = try TemporaryDirectory()
        let layout = Layout(data: directory.path, stream: .interactions)
        let client = ControlClient(layout: layout, arguments: ["seal"])
        #expect(try await client.handOver(Console(SaidText())) == .nobody)
        mkdir(layout.root, 0o700)
        #expect(try await client.handOver(Console(SaidText())) == .nobody)
        close(try RawSocket.open(layout.controlSocket) { bind($0, $1, $2) })
        #expect(try await client.handOver(Console(SaidText())) == .nobody)
    }
}
